// Weights as one vector, and what moves it.
#include "adam.h"
#include "flat.h"
#include "op.h"

namespace zoo {

std::vector<Op> UpdateOps() {
  return {
      {"ZooAdam",
       {},
       {"weights: float", "gradient: float", "m: float", "v: float", "numbers: float"},
       {"next: float", "next_m: float", "next_v: float"},
       Adam},
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
