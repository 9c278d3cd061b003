// Recurrent cells, and attention that is looked at from within one.
#include "additive-attention.h"
#include "attentive-lstm.h"
#include "gru.h"
#include "lstm.h"
#include "op.h"
#include "rnn.h"

namespace zoo {

std::vector<Op> RecurrentOps() {
  return {
      {"ZooAdditiveAttention",
       {"L: int >= 0", "T: {float, bfloat16}"},
       {"query: float", "keys: T", "v: float", "values: float", "lengths: L * int32"},
       {"c: float", "a: float"},
       AdditiveAttention},
      {"ZooAdditiveAttentionGrad",
       {"T: {float, bfloat16}"},
       {"dc: float", "query: float", "keys: T", "v: float", "values: float", "a: float"},
       {"dquery: float", "dkeys: float", "dv: float", "dvalues: float"},
       AdditiveAttentionGrad},
      {"ZooAttentiveLstm",
       {"bf16: bool", "L: int >= 0", "X: {float, bfloat16}", "T: {float, bfloat16}"},
       {"projected: X", "h0: float", "c0: float", "weight: float", "query_weight: float", "query_bias: float",
        "keys: T", "v: float", "values: float", "lengths: L * int32"},
       {"y: float", "seen: float", "looked: float", "activations: float", "h: float", "c: float", "queries: float"},
       AttentiveLstm},
      {"ZooAttentiveLstmGrad",
       {"bf16: bool", "T: {float, bfloat16}"},
       {"dy: float", "dseen: float", "activations: float", "c: float", "looked: float", "queries: float",
        "weight: float", "query_weight: float", "keys: T", "v: float", "values: float"},
       {"da: float", "dq: float", "dkeys: float", "dv: float", "dvalues: float", "dh0: float", "dc0: float"},
       AttentiveLstmGrad},
      {"ZooGru",
       {"reverse: bool", "reset_after: bool", "bf16: bool", "biases: int >= 0", "L: int >= 0", "T: {float, bfloat16}"},
       {"projected: T", "h0: float", "weight: float", "bias: biases * float", "lengths: L * int32"},
       {"y: float", "h: float", "activations: float", "before: float"},
       Gru},
      {"ZooGruGrad",
       {"reverse: bool", "reset_after: bool", "bf16: bool", "L: int >= 0", "hidden: int >= 0"},
       {"dy: float", "dh: float", "activations: float", "before: float", "weight: float", "lengths: L * int32"},
       {"dh0: float", "da: float", "ds: hidden * float"},
       GruGrad},
      {"ZooLstm",
       {"reverse: bool", "coupled: bool", "bf16: bool", "peepholes: int >= 0", "L: int >= 0", "T: {float, bfloat16}"},
       {"projected: T", "h0: float", "c0: float", "weight: float", "peephole: peepholes * float", "lengths: L * int32"},
       {"y: float", "h: float", "c: float", "activations: float", "h_before: float", "c_before: float"},
       Lstm},
      {"ZooLstmGrad",
       {"reverse: bool", "coupled: bool", "bf16: bool", "peepholes: int >= 0", "L: int >= 0"},
       {"dy: float", "dh: float", "dc: float", "activations: float", "c_before: float", "weight: float",
        "peephole: peepholes * float", "lengths: L * int32"},
       {"da: float", "dh0: float", "dc0: float"},
       LstmGrad},
      {"ZooRnn",
       {"reverse: bool", "relu: bool", "bf16: bool", "L: int >= 0", "T: {float, bfloat16}"},
       {"projected: T", "h0: float", "weight: float", "lengths: L * int32"},
       {"y: float", "h: float", "before: float"},
       Rnn},
      {"ZooRnnGrad",
       {"reverse: bool", "relu: bool", "bf16: bool", "L: int >= 0"},
       {"dy: float", "dh: float", "y: float", "weight: float", "lengths: L * int32"},
       {"da: float", "dh0: float"},
       RnnGrad},
  };
}

}  // namespace zoo
