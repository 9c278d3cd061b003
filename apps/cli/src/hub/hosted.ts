/** Weights that others host, of networks of ours. Files are theirs, under their licences; none is part of this project. */
import { imagenet, type Normalisation } from "../import-classifier.ts";

export interface Hosted {
  /** NAME.TAG; tags are timm's where it has the file */
  readonly name: string;
  readonly model: string;
  /** an https address, or hf:OWNER/REPO/FILE */
  readonly address: string;
  /** in hexadecimal digits: all 64, or the first eight, which torchvision puts into its files' names */
  readonly sha256?: string;
  readonly bytes?: number;
  readonly licence: string;
  readonly dataset: "imagenet" | "cifar10";
  readonly normalisation: Normalisation;
}

const torchvisionFiles: { readonly [name: string]: string } = {
  "alexnet.tv_in1k": "alexnet-owt-7be5be79.pth",
  "vgg11.tv_in1k": "vgg11-8a719046.pth",
  "vgg11-bn.tv_in1k": "vgg11_bn-6002323d.pth",
  "vgg13.tv_in1k": "vgg13-19584684.pth",
  "vgg13-bn.tv_in1k": "vgg13_bn-abd245e5.pth",
  "vgg16.tv_in1k": "vgg16-397923af.pth",
  "vgg16-bn.tv_in1k": "vgg16_bn-6c64b313.pth",
  "vgg19.tv_in1k": "vgg19-dcbb9e9d.pth",
  "vgg19-bn.tv_in1k": "vgg19_bn-c79401a0.pth",
  "resnet18.tv_in1k": "resnet18-f37072fd.pth",
  "resnet34.tv_in1k": "resnet34-b627a593.pth",
  "resnet50.tv_in1k": "resnet50-0676ba61.pth",
  "resnet50.tv2_in1k": "resnet50-11ad3fa6.pth",
  "resnet101.tv_in1k": "resnet101-63fe2227.pth",
  "resnet101.tv2_in1k": "resnet101-cd907fc2.pth",
  "resnet152.tv_in1k": "resnet152-394f9c45.pth",
  "resnet152.tv2_in1k": "resnet152-f82ba261.pth",
  "densenet121.tv_in1k": "densenet121-a639ec97.pth",
  "densenet161.tv_in1k": "densenet161-8d451a50.pth",
  "densenet169.tv_in1k": "densenet169-b2777c0a.pth",
  "densenet201.tv_in1k": "densenet201-c1103571.pth",
  "convnext-tiny.tv_in1k": "convnext_tiny-983f1562.pth",
  "vit-b16.tv_in1k": "vit_b_16-c867db91.pth",
};

const half: Normalisation = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/** timm's, on the Hugging Face hub, and how their images were normalised. */
const timmRepos: { readonly [name: string]: readonly [repo: string, normalisation: Normalisation] } = {
  "resnet18.a1_in1k": ["resnet18.a1_in1k", imagenet],
  "resnet34.a1_in1k": ["resnet34.a1_in1k", imagenet],
  "resnet50.a1_in1k": ["resnet50.a1_in1k", imagenet],
  "resnet101.a1_in1k": ["resnet101.a1_in1k", imagenet],
  "resnet152.a1_in1k": ["resnet152.a1_in1k", imagenet],
  "densenet121.ra_in1k": ["densenet121.ra_in1k", imagenet],
  "inception-v3.tv_in1k": ["inception_v3.tv_in1k", half],
  "convnext-tiny.fb_in1k": ["convnext_tiny.fb_in1k", imagenet],
  "vit-b16.augreg_in1k": ["vit_base_patch16_224.augreg_in1k", half],
  "mixer-b16.goog_in21k_ft_in1k": ["mixer_b16_224.goog_in21k_ft_in1k", half],
};

/** Idelbayev's networks of the ResNet paper's form for CIFAR-10. */
const akamaster: readonly (readonly [model: string, bytes: number, sha256: string])[] = [
  ["resnet20", 1_099_231, "12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8"],
  ["resnet32", 1_890_043, "d509ac1820d7f25398913559d7e81a13229b1e7adc5648e3bfa5e22dc137f850"],
  ["resnet44", 2_680_855, "014dd6541728a1c700b1642ab640e211dc6eb8ed507d70697458dc8f8a0ae2e4"],
  ["resnet56", 3_471_733, "4bfd97631478d6b638d2764fd2baff3edb1d7d82252d54439343b6596b9b5367"],
];

const modelOf = (name: string): string => name.slice(0, name.indexOf("."));

/** All of them, by name. */
export const hosted: ReadonlyMap<string, Hosted> = new Map(
  [
    ...akamaster.map(
      ([model, bytes, sha256]): Hosted => ({
        name: `${model}.akamaster`,
        model,
        address: `https://raw.githubusercontent.com/akamaster/pytorch_resnet_cifar10/master/pretrained_models/${model}-${sha256.slice(0, 8)}.th`,
        sha256,
        bytes,
        licence: "BSD-2-Clause",
        dataset: "cifar10",
        normalisation: imagenet,
      }),
    ),
    ...Object.entries(torchvisionFiles).map(
      ([name, file]): Hosted => ({
        name,
        model: modelOf(name),
        address: `https://download.pytorch.org/models/${file}`,
        sha256: /-([0-9a-f]{8})\.pth$/.exec(file)?.[1],
        licence: "BSD-3-Clause",
        dataset: "imagenet",
        normalisation: imagenet,
      }),
    ),
    ...Object.entries(timmRepos).map(
      ([name, [repo, normalisation]]): Hosted => ({
        name,
        model: modelOf(name),
        address: `hf:timm/${repo}/model.safetensors`,
        licence: "Apache-2.0",
        dataset: "imagenet",
        normalisation,
      }),
    ),
  ].map((entry) => [entry.name, entry]),
);
