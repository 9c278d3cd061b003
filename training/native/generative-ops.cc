// What networks that make images are trained by.
#include "op.h"
#include "random.h"
#include "variational.h"

namespace zoo {

const char *const prior_mean = "prior_mean: with_mean * float", *const prior_variance =
                                                                    "prior_variance: with_variance * float";
const std::vector<const char*> divergence = {"reduction: int", "with_mean: int >= 0", "with_variance: int >= 0"};

std::vector<Op> GenerativeOps() {
  return {
      {"ZooUniform", {}, {"key: int32", "size: int32"}, {"numbers: float"}, Uniform},
      {"ZooNormal", {}, {"key: int32", "size: int32"}, {"numbers: float"}, Normals},
      {"ZooSigmoidCrossEntropy",
       {"reduction: int", "T: {float, bfloat16}"},
       {"logits: T", "target: float"},
       {"loss: float"},
       SigmoidCrossEntropy},
      {"ZooSigmoidCrossEntropyGrad",
       {"reduction: int", "T: {float, bfloat16}"},
       {"dy: float", "logits: T", "target: float"},
       {"dlogits: T"},
       SigmoidCrossEntropyGrad},
      {"ZooGaussianKl",
       divergence,
       {"mean: float", "log_variance: float", prior_mean, prior_variance},
       {"kl: float"},
       GaussianKl},
      {"ZooGaussianKlGrad",
       divergence,
       {"dy: float", "mean: float", "log_variance: float", prior_mean, prior_variance},
       {"dmean: float", "dlog_variance: float", "dprior_mean: with_mean * float",
        "dprior_variance: with_variance * float"},
       GaussianKlGrad},
      {"ZooReparameterize", {}, {"mean: float", "log_variance: float", "noise: float"}, {"z: float"}, Reparameterize},
      {"ZooReparameterizeGrad",
       {},
       {"dz: float", "log_variance: float", "noise: float"},
       {"dmean: float", "dlog_variance: float"},
       ReparameterizeGrad},
  };
}

}  // namespace zoo
