// Kernels of tfjs-zoo for TensorFlow's CPU device, where its own take more passes over memory than the formula needs:
// batch normalisation with its ReLU, layer and group normalisation, attention, the residual sum with its ReLU, GELU,
// SiLU, leaky ReLU, pooling, concatenation, option A shortcuts, depthwise convolution, recurrent cells, draws of
// random numbers, what a variational bound is made of, optimizers, and products of matrices that are not large; where
// fewer multiplications do (winograd.h, few-channels.h), convolutions; and all convolutions and large products on the
// processor's matrix unit, or in bf16 on vectors of 512 bits, where it has them.
// Compiled on the machine that runs them (-march=native) and loaded as a Node addon, which registers them.
//
// Images are [rows, channels], rows = batch * height * width, in single precision or in bf16 (parameters and sums are
// in single precision always). Which thread adds what depends on sizes and the number of threads alone, so results
// repeat bit by bit.

#include <node_api.h>

#if defined(__GLIBC__)
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "matrix-tiles.h"
#include "op.h"
#include "tensorflow.h"
#include "threads.h"

namespace zoo {

/// Registers every op with its kernel. @returns what failed, empty if nothing did
std::string Register() {
  TF_Status* status = TF_NewStatus();
  std::string failure;
  for (const auto& ops : {ConvolutionOps(), ImageOps(), TokenOps(), GenerativeOps(), RecurrentOps(), UpdateOps()}) {
    for (const Op& op : ops) {
      TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(op.name);
      for (const char* spec : op.attributes) TF_OpDefinitionBuilderAddAttr(definition, spec);
      for (const char* spec : op.inputs) TF_OpDefinitionBuilderAddInput(definition, spec);
      for (const char* spec : op.outputs) TF_OpDefinitionBuilderAddOutput(definition, spec);
      TF_RegisterOpDefinition(definition, status);
      if (TF_GetCode(status) == 0) {
        TF_RegisterKernelBuilder(op.name, TF_NewKernelBuilder(op.name, "CPU", Create, op.compute, Destroy), status);
      }
      if (TF_GetCode(status) != 0 && failure.empty()) failure = std::string(op.name) + ": " + TF_Message(status);
    }
  }
  TF_DeleteStatus(status);
  return failure;
}

#if defined(__GLIBC__)
/// Lets tensors share one region of large pages, which grows as they need it: a step walks through gigabytes, and to
/// find small pages takes a twelfth of its time. Does nothing where the system has no large pages to give.
void UseLargePages() {
  constexpr uintptr_t kPage = 2 << 20;
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, INT_MAX);
  void* const first = std::malloc(31 << 20);  // more than is free, so that the region grows by all of M_TOP_PAD
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(first) + kPage - 1) / kPage * kPage;
  const uintptr_t end = reinterpret_cast<uintptr_t>(sbrk(0)) / kPage * kPage;
  if (first != nullptr && begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  std::free(first);
  mallopt(M_TOP_PAD, 64 << 20);
}
#endif

napi_value Boolean(napi_env env, bool value) {
  napi_value result;
  napi_get_boolean(env, value, &result);
  return result;
}

/// start(threads: number): registers the kernels, and throws what failed.
/// @returns { f32, bf16 }: in which numbers convolutions and matrix products are among them
napi_value Start(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t threads = 1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_int32(env, argument, &threads);
  static bool started = false, tiles = false;
  if (!started) {
    started = true;
#ifdef ZOO_TILES
    tiles = RequestTiles();
#endif
#if defined(__GLIBC__)
    UseLargePages();
#endif
    pool->Start(std::clamp(threads, 1, 256));
    const std::string failure = Register();
    if (!failure.empty()) napi_throw_error(env, nullptr, failure.c_str());
  }
#ifdef ZOO_MATRIX_UNIT
  const bool f32 = tiles;
#else
  const bool f32 = false;
#endif
  napi_value result;
  napi_create_object(env, &result);
  napi_set_named_property(env, result, "f32", Boolean(env, f32));
  napi_set_named_property(env, result, "bf16", Boolean(env, tiles));
  return result;
}

}  // namespace zoo

extern "C" NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_property_descriptor start = {"start", nullptr, zoo::Start, nullptr, nullptr, nullptr, napi_default, nullptr};
  napi_define_properties(env, exports, 1, &start);
  return exports;
}
