/** What the page offers to train, with what it starts from. */
export interface Choice {
  title: string;
  model: string;
  dataset: string;
  epochs: number;
  batchSize: number;
  learningRate: number;
}

export const choices: readonly Choice[] = [
  { title: "LeNet-5 on MNIST", model: "lenet5", dataset: "mnist", epochs: 4, batchSize: 64, learningRate: 0.05 },
  { title: "LeNet-5 on CIFAR-10", model: "lenet5", dataset: "cifar10", epochs: 10, batchSize: 64, learningRate: 0.02 },
  {
    title: "ResNet-20 on CIFAR-10",
    model: "resnet20",
    dataset: "cifar10",
    epochs: 10,
    batchSize: 64,
    learningRate: 0.1,
  },
];
