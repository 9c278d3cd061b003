// TensorFlow's side of a kernel: its C interface, the tensors of a call, an op's attributes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "vectors.h"

// The part of TensorFlow's stable C API that is used here (tensorflow/c/kernels.h, ops.h, tf_tensor.h, tf_status.h).
extern "C" {
struct TF_Status;
struct TF_Tensor;
struct TF_KernelBuilder;
struct TF_OpDefinitionBuilder;
struct TF_OpKernelConstruction;
struct TF_OpKernelContext;
TF_Status* TF_NewStatus(void);
void TF_DeleteStatus(TF_Status*);
void TF_SetStatus(TF_Status*, int code, const char* message);
int TF_GetCode(const TF_Status*);
const char* TF_Message(const TF_Status*);
void* TF_TensorData(const TF_Tensor*);
int TF_TensorType(const TF_Tensor*);
int TF_NumDims(const TF_Tensor*);
int64_t TF_Dim(const TF_Tensor*, int);
void TF_DeleteTensor(TF_Tensor*);
TF_OpDefinitionBuilder* TF_NewOpDefinitionBuilder(const char* name);
void TF_OpDefinitionBuilderAddAttr(TF_OpDefinitionBuilder*, const char* spec);
void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder*, const char* spec);
void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder*, const char* spec);
void TF_RegisterOpDefinition(TF_OpDefinitionBuilder*, TF_Status*);
TF_KernelBuilder* TF_NewKernelBuilder(const char* op, const char* device, void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*), void (*destroy)(void*));
void TF_RegisterKernelBuilder(const char* name, TF_KernelBuilder*, TF_Status*);
void TF_OpKernelConstruction_GetAttrFloat(TF_OpKernelConstruction*, const char*, float*, TF_Status*);
void TF_OpKernelConstruction_GetAttrBool(TF_OpKernelConstruction*, const char*, unsigned char*, TF_Status*);
void TF_OpKernelConstruction_GetAttrInt64(TF_OpKernelConstruction*, const char*, int64_t*, TF_Status*);
void TF_OpKernelConstruction_GetAttrSize(TF_OpKernelConstruction*, const char*, int32_t* list, int32_t* total,
                                         TF_Status*);
void TF_OpKernelConstruction_GetAttrInt64List(TF_OpKernelConstruction*, const char*, int64_t*, int max, TF_Status*);
int TF_NumInputs(TF_OpKernelContext*);
void TF_GetInput(TF_OpKernelContext*, int, TF_Tensor**, TF_Status*);
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext*, int, int dtype, const int64_t* dims, int rank, size_t bytes,
                             TF_Status*);
void TF_OpKernelContext_Failure(TF_OpKernelContext*, TF_Status*);
}

namespace zoo {

constexpr int kFloat = 1;            // TF_FLOAT
constexpr int kBfloat16 = 14;        // TF_BFLOAT16
constexpr int kInvalidArgument = 3;  // TF_INVALID_ARGUMENT

/// One call of an op: its tensors, freed at the end, and whether anything failed.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {
    past_caches.store(false, std::memory_order_relaxed);
  }
  ~Call() {
    if (TF_GetCode(status_) != 0) TF_OpKernelContext_Failure(context_, status_);
    for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }

  TF_Tensor* Input(int index) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, index, &tensor, status_);
    if (tensor != nullptr) tensors_.push_back(tensor);
    return tensor;
  }

  template <typename T = float>
  T* Output(int index, const std::vector<int64_t>& shape) {
    int64_t count = 1;
    for (int64_t n : shape) count *= n;
    const size_t bytes = static_cast<size_t>(count) * sizeof(T);
    if (bytes >= kPastCaches) past_caches.store(true, std::memory_order_relaxed);
    constexpr int kType = std::is_same_v<T, float> ? kFloat : kBfloat16;
    TF_Tensor* tensor =
        TF_AllocateOutput(context_, index, kType, shape.data(), static_cast<int>(shape.size()), bytes, status_);
    if (tensor == nullptr) return nullptr;
    tensors_.push_back(tensor);
    return Data<T>(tensor);
  }

  bool Expect(bool condition, const char* what) {
    if (!condition && ok()) TF_SetStatus(status_, kInvalidArgument, what);
    return ok();
  }

  bool ok() const { return TF_GetCode(status_) == 0; }
  int inputs() const { return TF_NumInputs(context_); }

  template <typename T = float>
  static T* Data(const TF_Tensor* tensor) {
    return static_cast<T*>(TF_TensorData(tensor));
  }

 private:
  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
};

inline std::vector<int64_t> ShapeOf(const TF_Tensor* tensor) {
  std::vector<int64_t> shape(TF_NumDims(tensor));
  for (size_t axis = 0; axis < shape.size(); axis++) shape[axis] = TF_Dim(tensor, static_cast<int>(axis));
  return shape;
}

inline int64_t CountOf(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (int64_t n : shape) count *= n;
  return count;
}

/// Calls body with a null pointer to the type of the tensor's numbers.
template <typename Body>
void WithType([[maybe_unused]] const TF_Tensor* tensor, const Body& body) {
#ifdef ZOO_BF16
  if (TF_TensorType(tensor) == kBfloat16) return body(static_cast<Bf16*>(nullptr));
#endif
  body(static_cast<float*>(nullptr));
}

/// What an op was built with.
struct Attributes {
  float epsilon = 0, momentum = 0, smoothing = 0, kept = 0, scale = 0, slope = 0;
  unsigned char relu = 0, tanh = 0, causal = 0, bf16 = 0, keep_bf16 = 0, transpose_a = 0, transpose_b = 0;
  int64_t stride = 1, channels = 0, heads = 0, groups = 0, vocabulary = 0, below = 0;
  int64_t with_lengths = 0, with_bias = 0, with_dropout = 0, with_mean = 0, with_variance = 0, reduction = 0;
  unsigned char reverse = 0, coupled = 0, reset_after = 0;
  int64_t peepholes = 0, biases = 0;
  std::vector<int64_t> ranks, dims, strides, padding, dilation, size;
};

inline std::vector<int64_t> GetList(TF_OpKernelConstruction* construction, const char* name, TF_Status* status) {
  int32_t size = 0, total = 0;
  TF_SetStatus(status, 0, "");  // this one does nothing after a failure
  TF_OpKernelConstruction_GetAttrSize(construction, name, &size, &total, status);
  std::vector<int64_t> list(std::max(size, 0));
  TF_OpKernelConstruction_GetAttrInt64List(construction, name, list.data(), size, status);
  return list;
}

/// Reads whichever of the attributes the op has.
inline void* Create(TF_OpKernelConstruction* construction) {
  auto* attributes = new Attributes;
  TF_Status* status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &attributes->epsilon, status);
  TF_OpKernelConstruction_GetAttrFloat(construction, "momentum", &attributes->momentum, status);
  TF_OpKernelConstruction_GetAttrFloat(construction, "smoothing", &attributes->smoothing, status);
  TF_OpKernelConstruction_GetAttrFloat(construction, "kept", &attributes->kept, status);
  TF_OpKernelConstruction_GetAttrFloat(construction, "scale", &attributes->scale, status);
  TF_OpKernelConstruction_GetAttrFloat(construction, "slope", &attributes->slope, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "relu", &attributes->relu, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "causal", &attributes->causal, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "bf16", &attributes->bf16, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "keep_bf16", &attributes->keep_bf16, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "transpose_a", &attributes->transpose_a, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "transpose_b", &attributes->transpose_b, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "tanh", &attributes->tanh, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "stride", &attributes->stride, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "channels", &attributes->channels, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "heads", &attributes->heads, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "groups", &attributes->groups, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "vocabulary", &attributes->vocabulary, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "below", &attributes->below, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "with_lengths", &attributes->with_lengths, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "with_bias", &attributes->with_bias, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "with_dropout", &attributes->with_dropout, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "with_mean", &attributes->with_mean, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "with_variance", &attributes->with_variance, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "reduction", &attributes->reduction, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "reverse", &attributes->reverse, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "coupled", &attributes->coupled, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "reset_after", &attributes->reset_after, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "peepholes", &attributes->peepholes, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "biases", &attributes->biases, status);
  attributes->ranks = GetList(construction, "ranks", status);
  attributes->dims = GetList(construction, "dims", status);
  attributes->strides = GetList(construction, "strides", status);
  attributes->padding = GetList(construction, "padding", status);
  attributes->dilation = GetList(construction, "dilation", status);
  attributes->size = GetList(construction, "size", status);
  TF_DeleteStatus(status);
  return attributes;
}

inline void Destroy(void* attributes) { delete static_cast<Attributes*>(attributes); }

}  // namespace zoo
