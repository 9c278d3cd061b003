// Weights as one vector, and what moves it.
#include "adam.h"
#include "flat.h"
#include "op.h"
#include "sgd.h"

namespace zoo {

std::vector<Op> UpdateOps() {
  return {
      {"ZooAdam",
       {"N: int >= 1"},
       {"weights: N * float", "gradients: N * float", "m: float", "v: float", "numbers: float"},
       {"next: N * float", "next_m: float", "next_v: float"},
       Adam},
      {"ZooSgd",
       {"N: int >= 1"},
       {"weights: N * float", "gradients: N * float", "v: float", "numbers: float"},
       {"next: N * float", "next_v: float"},
       Sgd},
      {"ZooNorm", {"N: int >= 1"}, {"parts: N * float"}, {"norm: float"}, Norm},
      {"ZooJoin", {"N: int >= 1"}, {"parts: N * float"}, {"flat: float"}, Join},
      {"ZooSplit",
       {"N: int >= 1", "ranks: list(int)", "dims: list(int)"},
       {"flat: float"},
       {"parts: N * float"},
       Split},
  };
}

}  // namespace zoo
