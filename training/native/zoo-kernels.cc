// Kernels of tfjs-zoo for TensorFlow's CPU device, where its own take more passes over memory than the formula needs:
// batch normalisation with its ReLU, the residual sum with its ReLU, option A shortcuts, and weights joined to one
// vector. Compiled on the machine that runs them (-march=native) and loaded as a Node addon, which registers them.
//
// They are single precision and images are [rows, channels], rows = batch * height * width. Which thread adds what
// depends on sizes and the number of threads alone, so results repeat bit by bit.

#include <node_api.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

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
void TF_OpKernelConstruction_GetAttrSize(TF_OpKernelConstruction*, const char*, int32_t* list, int32_t* total, TF_Status*);
void TF_OpKernelConstruction_GetAttrInt64List(TF_OpKernelConstruction*, const char*, int64_t*, int max, TF_Status*);
int TF_NumInputs(TF_OpKernelContext*);
void TF_GetInput(TF_OpKernelContext*, int, TF_Tensor**, TF_Status*);
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext*, int, int dtype, const int64_t* dims, int rank, size_t bytes, TF_Status*);
void TF_OpKernelContext_Failure(TF_OpKernelContext*, TF_Status*);
}

namespace {

constexpr int kFloat = 1;            // TF_FLOAT
constexpr int kInvalidArgument = 3;  // TF_INVALID_ARGUMENT

// ---------------------------------------------------------------------------------------------------- threads

/// Threads that share loops. They look for work for a moment before they sleep, since ops follow each other closely
/// and waking a thread costs more than most of these loops.
class Pool {
 public:
  void Start(int threads) {
    for (int part = 1; part < threads; part++) std::thread([this, part] { Work(part); }).detach();
    threads_ = threads;
  }

  int threads() const { return threads_; }

  /// Calls body(part) for every part in [0, threads), each in a thread of its own.
  template <typename Body>
  void Run(const Body& body) {
    call_ = [](const void* context, int part) { (*static_cast<const Body*>(context))(part); };
    context_ = &body;
    pending_.store(threads_ - 1, std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      generation_.fetch_add(1, std::memory_order_release);
    }
    if (sleeping_.load() > 0) wake_.notify_all();
    body(0);
    for (int spins = 0; pending_.load(std::memory_order_acquire) > 0; spins++) {
      if (spins > 2000) std::this_thread::yield();
    }
  }

 private:
  void Work(int part) {
    uint64_t seen = 0;
    while (true) {
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
      while (generation_.load(std::memory_order_acquire) == seen) {
        if (std::chrono::steady_clock::now() < deadline) continue;
        std::unique_lock<std::mutex> lock(mutex_);
        sleeping_++;
        wake_.wait(lock, [&] { return generation_.load() != seen; });
        sleeping_--;
      }
      seen = generation_.load(std::memory_order_acquire);
      call_(context_, part);
      pending_.fetch_sub(1, std::memory_order_release);
    }
  }

  int threads_ = 1;
  void (*call_)(const void*, int) = nullptr;
  const void* context_ = nullptr;
  std::atomic<uint64_t> generation_{0};
  std::atomic<int> pending_{0};
  std::atomic<int> sleeping_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
};

Pool* pool = new Pool;  // never destroyed: its threads outlive every static

/// Splits [0, count) evenly; what is too small to share is done by the caller alone.
template <typename Body>
void Parallel(int64_t count, int64_t cost, const Body& body) {
  const int parts = count * cost < 32768 ? 1 : pool->threads();
  auto range = [&](int part) { body(part, count * part / parts, count * (part + 1) / parts); };
  if (parts == 1) {
    range(0);
  } else {
    pool->Run(range);
  }
}

// ------------------------------------------------------------------------------------------------------ vectors

/// 16 numbers at once; the compiler makes of them what the processor has.
typedef float Lanes __attribute__((vector_size(64), aligned(4)));
constexpr int kLanes = 16;

template <typename V>
V Get(const float* from) {
  V value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

void Put(float* to, float value) { *to = value; }

/// Past the caches: results are much larger than they are, and a store through them reads what it overwrites first.
/// `to` is a multiple of 64 bytes, as TensorFlow's tensors are.
void Put(float* to, Lanes value) {
#if defined(__AVX512F__)
  _mm512_stream_ps(to, reinterpret_cast<__m512>(value));
#else
  std::memcpy(to, &value, sizeof(value));
#endif
}

/// max(z, floor), and NaN for NaN
template <typename V>
V Above(V z, V floor) {
  return z <= floor ? floor : z;
}

/// Calls body(V(), i) for every i in [0, count): with V = Lanes for 16 at a time, with float for the rest.
template <typename Body>
void Elementwise(int64_t count, const Body& body) {
  const int64_t whole = count / kLanes;
  Parallel(whole, kLanes, [&](int, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) body(Lanes(), i * kLanes);
  });
  for (int64_t i = whole * kLanes; i < count; i++) body(float(), i);
}

/// Calls body(V(), index, channel) for every element of [rows, channels], likewise.
template <typename Channels, typename Body>
void PerChannel(Channels channels, int64_t rows, const Body& body) {
  Parallel(rows, channels, [&](int, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t at = row * channels;
      if (channels % kLanes == 0) {
        for (int c = 0; c < channels; c += kLanes) body(Lanes(), at + c, c);
      } else {
        for (int c = 0; c < channels; c++) body(float(), at + c, c);
      }
    }
  });
}

// ------------------------------------------------------------------------------------------- TensorFlow's side

/// One call of an op: its tensors, freed at the end, and whether anything failed.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {}
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

  float* Output(int index, const std::vector<int64_t>& shape) {
    int64_t count = 1;
    for (int64_t n : shape) count *= n;
    const size_t bytes = static_cast<size_t>(count) * sizeof(float);
    TF_Tensor* tensor =
        TF_AllocateOutput(context_, index, kFloat, shape.data(), static_cast<int>(shape.size()), bytes, status_);
    if (tensor == nullptr) return nullptr;
    tensors_.push_back(tensor);
    return Data(tensor);
  }

  bool Expect(bool condition, const char* what) {
    if (!condition && ok()) TF_SetStatus(status_, kInvalidArgument, what);
    return ok();
  }

  bool ok() const { return TF_GetCode(status_) == 0; }
  int inputs() const { return TF_NumInputs(context_); }

  static float* Data(const TF_Tensor* tensor) { return static_cast<float*>(TF_TensorData(tensor)); }

 private:
  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
};

std::vector<int64_t> ShapeOf(const TF_Tensor* tensor) {
  std::vector<int64_t> shape(TF_NumDims(tensor));
  for (size_t axis = 0; axis < shape.size(); axis++) shape[axis] = TF_Dim(tensor, static_cast<int>(axis));
  return shape;
}

int64_t CountOf(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (int64_t n : shape) count *= n;
  return count;
}

/// What an op was built with.
struct Attributes {
  float epsilon = 0, momentum = 0;
  unsigned char relu = 0;
  int64_t stride = 1, channels = 0;
  std::vector<int64_t> ranks, dims;
};

std::vector<int64_t> GetList(TF_OpKernelConstruction* construction, const char* name, TF_Status* status) {
  int32_t size = 0, total = 0;
  TF_SetStatus(status, 0, "");  // this one does nothing after a failure
  TF_OpKernelConstruction_GetAttrSize(construction, name, &size, &total, status);
  std::vector<int64_t> list(std::max(size, 0));
  TF_OpKernelConstruction_GetAttrInt64List(construction, name, list.data(), size, status);
  return list;
}

/// Reads whichever of the attributes the op has.
void* Create(TF_OpKernelConstruction* construction) {
  auto* attributes = new Attributes;
  TF_Status* status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &attributes->epsilon, status);
  TF_OpKernelConstruction_GetAttrFloat(construction, "momentum", &attributes->momentum, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "relu", &attributes->relu, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "stride", &attributes->stride, status);
  TF_OpKernelConstruction_GetAttrInt64(construction, "channels", &attributes->channels, status);
  attributes->ranks = GetList(construction, "ranks", status);
  attributes->dims = GetList(construction, "dims", status);
  TF_DeleteStatus(status);
  return attributes;
}

void Destroy(void* attributes) { delete static_cast<Attributes*>(attributes); }

// --------------------------------------------------------------------------------------- batch normalisation

/// Calls body with the number of channels as a constant where it is a common one, so that loops over it unroll.
template <typename Body>
void WithChannels(int channels, const Body& body) {
  switch (channels) {
    case 16: return body(std::integral_constant<int, 16>{});
    case 32: return body(std::integral_constant<int, 32>{});
    case 64: return body(std::integral_constant<int, 64>{});
    default: return body(channels);
  }
}

/// Rows whose sums are kept in single precision before they go into double.
constexpr int64_t kBlock = 128;

/// Sums over rows [begin, end) of two quantities a channel, as `terms(x_row_index, channel, &a, &b)` gives them.
template <typename Channels, typename Terms>
void SumRows(Channels channels, int64_t begin, int64_t end, double* sums, const Terms& terms) {
  constexpr int kMost = 64;
  std::vector<float> heap(channels > kMost ? 2 * static_cast<size_t>(channels) : 0);
  alignas(64) float local[2 * kMost];
  float* const a = channels > kMost ? heap.data() : local;
  float* const b = a + channels;
  for (int64_t block = begin; block < end; block += kBlock) {
    std::fill(a, a + 2 * channels, 0.0f);
    const int64_t stop = std::min(end, block + kBlock);
    for (int64_t row = block; row < stop; row++) {
      for (int c = 0; c < channels; c++) terms(row * channels + c, c, a[c], b[c]);
    }
    for (int c = 0; c < 2 * channels; c++) sums[c] += a[c];
  }
}

/// The sums of all parts, in the order of the parts: [a of every channel, b of every channel].
template <typename Channels, typename Terms>
std::vector<double> SumChannels(Channels channels, int64_t rows, const Terms& terms) {
  const size_t width = 2 * static_cast<size_t>(channels);
  std::vector<double> parts(width * pool->threads(), 0.0);
  Parallel(rows, channels, [&](int part, int64_t begin, int64_t end) {
    SumRows(channels, begin, end, parts.data() + width * part, terms);
  });
  for (int part = 1; part < pool->threads(); part++) {
    for (size_t i = 0; i < width; i++) parts[i] += parts[width * part + i];
  }
  parts.resize(width);
  return parts;
}

/// x, gamma, beta, running_mean, running_variance -> y, new running mean, new running variance, mean, variance
void BatchNorm(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor* inputs[5];
  for (int i = 0; i < 5; i++) inputs[i] = call.Input(i);
  if (!call.ok()) return;
  const auto shape = ShapeOf(inputs[0]);
  const int channels = shape.empty() ? 0 : static_cast<int>(shape.back());
  for (int i = 1; i < 5; i++) call.Expect(CountOf(ShapeOf(inputs[i])) == channels, "batch norm got parameters of another size");
  if (!call.Expect(channels > 0 && CountOf(shape) > 0, "batch norm got an empty image")) return;
  const int64_t rows = CountOf(shape) / channels;
  const float* __restrict x = Call::Data(inputs[0]);
  const float* gamma = Call::Data(inputs[1]);
  const float* beta = Call::Data(inputs[2]);
  const float* running_mean = Call::Data(inputs[3]);
  const float* running_variance = Call::Data(inputs[4]);
  float* y = call.Output(0, shape);
  float* outputs[4];
  for (int i = 0; i < 4; i++) outputs[i] = call.Output(i + 1, {channels});
  if (!call.ok()) return;
  auto [new_mean, new_variance, mean, variance] = std::tie(outputs[0], outputs[1], outputs[2], outputs[3]);

  std::vector<float> scale(channels), shift(channels);
  WithChannels(channels, [&](auto width) {
    // Sums of x - K and its square, with the first row as K: the variance loses nothing to a large mean.
    const std::vector<float> pivot(x, x + channels);
    const float* k = pivot.data();
    const auto sums = SumChannels(width, rows, [x, k](int64_t i, int c, float& a, float& b) {
      const float d = x[i] - k[c];
      a += d;
      b += d * d;
    });
    const double n = static_cast<double>(rows);
    for (int c = 0; c < channels; c++) {
      const double offset = sums[c] / n;
      const double spread = std::max(0.0, sums[channels + c] / n - offset * offset);
      mean[c] = static_cast<float>(k[c] + offset);
      variance[c] = static_cast<float>(spread);
      const double unbiased = spread * n / std::max(n - 1, 1.0);
      new_mean[c] = (1 - attributes.momentum) * running_mean[c] + attributes.momentum * mean[c];
      new_variance[c] = (1 - attributes.momentum) * running_variance[c] + attributes.momentum * static_cast<float>(unbiased);
      scale[c] = gamma[c] / std::sqrt(variance[c] + attributes.epsilon);
      shift[c] = beta[c] - mean[c] * scale[c];
    }
    const float* __restrict s = scale.data();
    const float* __restrict t = shift.data();
    const float floor = attributes.relu ? 0.0f : -INFINITY;
    PerChannel(width, rows, [=](auto zero, int64_t i, int c) {
      using V = decltype(zero);
      const V z = Get<V>(x + i) * Get<V>(s + c) + Get<V>(t + c);
      Put(y + i, Above(z, zero + floor));
    });
  });
}

/// dy, x, gamma, beta, mean, variance -> dx, dgamma, dbeta
void BatchNormGrad(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor* inputs[6];
  for (int i = 0; i < 6; i++) inputs[i] = call.Input(i);
  if (!call.ok()) return;
  const auto shape = ShapeOf(inputs[1]);
  const int channels = shape.empty() ? 0 : static_cast<int>(shape.back());
  for (int i = 2; i < 6; i++) call.Expect(CountOf(ShapeOf(inputs[i])) == channels, "batch norm got parameters of another size");
  if (!call.Expect(channels > 0 && ShapeOf(inputs[0]) == shape, "batch norm got dy and x of different shapes")) return;
  const int64_t rows = CountOf(shape) / channels;
  const float* __restrict dy = Call::Data(inputs[0]);
  const float* __restrict x = Call::Data(inputs[1]);
  const float* gamma = Call::Data(inputs[2]);
  const float* beta = Call::Data(inputs[3]);
  const float* mean = Call::Data(inputs[4]);
  const float* variance = Call::Data(inputs[5]);
  float* dx = call.Output(0, shape);
  float* dgamma = call.Output(1, {channels});
  float* dbeta = call.Output(2, {channels});
  if (!call.ok()) return;

  std::vector<float> scale(channels), shift(channels), along(channels), constant(channels);
  for (int c = 0; c < channels; c++) {
    scale[c] = gamma[c] / std::sqrt(variance[c] + attributes.epsilon);
    shift[c] = beta[c] - mean[c] * scale[c];
  }
  const float* __restrict s = scale.data();
  const float* __restrict t = shift.data();
  const float* __restrict m = mean;
  const float floor = attributes.relu ? 0.0f : -INFINITY;  // without a ReLU every z is above it
  WithChannels(channels, [&](auto width) {
    const auto sums = SumChannels(width, rows, [=](int64_t i, int c, float& a, float& b) {
      const float d = dy[i];  // loaded in any case: a load under a condition would not be a vector's
      const float g = x[i] * s[c] + t[c] > floor ? d : 0.0f;
      a += g;
      b += g * (x[i] - m[c]);
    });
    const double n = static_cast<double>(rows);
    for (int c = 0; c < channels; c++) {
      const double inverse = 1.0 / std::sqrt(static_cast<double>(variance[c]) + attributes.epsilon);
      dbeta[c] = static_cast<float>(sums[c]);
      dgamma[c] = static_cast<float>(sums[channels + c] * inverse);
      along[c] = static_cast<float>(-gamma[c] * inverse * inverse * inverse * sums[channels + c] / n);
      constant[c] = static_cast<float>(-gamma[c] * inverse * sums[c] / n);
    }
    const float* __restrict u = along.data();
    const float* __restrict v = constant.data();
    PerChannel(width, rows, [=](auto zero, int64_t i, int c) {
      using V = decltype(zero);
      const V xi = Get<V>(x + i), scale = Get<V>(s + c);
      const V g = xi * scale + Get<V>(t + c) > floor ? Get<V>(dy + i) : zero;
      Put(dx + i, scale * g + Get<V>(u + c) * (xi - Get<V>(m + c)) + Get<V>(v + c));
    });
  });
}

// ------------------------------------------------------------------------------------------------ element-wise

/// a, b -> a + b, or max(a + b, 0)
void Add(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *left = call.Input(0), *right = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(left);
  if (!call.Expect(ShapeOf(right) == shape, "a sum got tensors of different shapes")) return;
  const float* a = Call::Data(left);
  const float* b = Call::Data(right);
  float* y = call.Output(0, shape);
  if (!call.ok()) return;
  const float floor = attributes.relu ? 0.0f : -INFINITY;
  Elementwise(CountOf(shape), [=](auto zero, int64_t i) {
    using V = decltype(zero);
    Put(y + i, Above(Get<V>(a + i) + Get<V>(b + i), zero + floor));
  });
}

/// dy, y -> dy where y > 0, else 0
void ReluGrad(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *output = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(output);
  if (!call.Expect(ShapeOf(gradient) == shape, "a ReLU's gradient got tensors of different shapes")) return;
  const float* __restrict dy = Call::Data(gradient);
  const float* y = Call::Data(output);
  float* dx = call.Output(0, shape);
  if (!call.ok()) return;
  Elementwise(CountOf(shape), [=](auto zero, int64_t i) {
    using V = decltype(zero);
    Put(dx + i, Get<V>(y + i) > 0.0f ? Get<V>(dy + i) : zero);
  });
}

// --------------------------------------------------------------------------------------------- option A shortcut

/// x [n, h, w, c] -> y [n, ceil(h / s), ceil(w / s), channels]: every s-th pixel, zeros for the new channels
void ShortcutA(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor* input = call.Input(0);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  if (!call.Expect(shape.size() == 4 && attributes.stride > 0, "a shortcut got something else than images")) return;
  const int64_t s = attributes.stride, h = shape[1], w = shape[2], c = shape[3], channels = attributes.channels;
  const int64_t rows = (h + s - 1) / s, columns = (w + s - 1) / s, before = (channels - c) / 2;
  if (!call.Expect(channels >= c, "a shortcut can't take channels away")) return;
  const float* x = Call::Data(input);
  float* y = call.Output(0, {shape[0], rows, columns, channels});
  if (!call.ok()) return;
  Parallel(shape[0] * rows, columns * channels, [=](int, int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const float* from = x + ((r / rows) * h + (r % rows) * s) * w * c;
      float* to = y + r * columns * channels;
      std::memset(to, 0, sizeof(float) * columns * channels);
      for (int64_t j = 0; j < columns; j++) {
        std::memcpy(to + j * channels + before, from + j * s * c, sizeof(float) * c);
      }
    }
  });
}

/// dy, x (for its shape) -> dx
void ShortcutAGrad(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *input = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input), outer = ShapeOf(gradient);
  if (!call.Expect(shape.size() == 4 && outer.size() == 4, "a shortcut got something else than images")) return;
  const int64_t s = attributes.stride, h = shape[1], w = shape[2], c = shape[3];
  const int64_t rows = outer[1], columns = outer[2], channels = outer[3], before = (channels - c) / 2;
  const bool fits = outer[0] == shape[0] && s > 0 && rows == (h + s - 1) / s && columns == (w + s - 1) / s && channels >= c;
  if (!call.Expect(fits, "a shortcut got dy and x that do not fit each other")) return;
  const float* dy = Call::Data(gradient);
  float* dx = call.Output(0, shape);
  if (!call.ok()) return;
  Parallel(shape[0] * h, w * c, [=](int, int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      float* to = dx + r * w * c;
      std::memset(to, 0, sizeof(float) * w * c);
      const int64_t i = r % h;
      if (i % s != 0) continue;
      const float* from = dy + ((r / h) * rows + i / s) * columns * channels;
      for (int64_t j = 0; j < columns; j++) {
        std::memcpy(to + j * s * c, from + j * channels + before, sizeof(float) * c);
      }
    }
  });
}

// ------------------------------------------------------------------------------------------ weights as one vector

/// Tensors of any shapes -> one vector
void Join(void*, TF_OpKernelContext* context) {
  Call call(context);
  std::vector<const TF_Tensor*> parts(call.inputs());
  int64_t size = 0;
  for (size_t i = 0; i < parts.size(); i++) {
    parts[i] = call.Input(static_cast<int>(i));
    if (!call.ok()) return;
    size += CountOf(ShapeOf(parts[i]));
  }
  float* flat = call.Output(0, {size});
  if (!call.ok()) return;
  for (const TF_Tensor* part : parts) {
    const int64_t count = CountOf(ShapeOf(part));
    std::memcpy(flat, Call::Data(part), sizeof(float) * count);
    flat += count;
  }
}

/// One vector -> tensors of the shapes that `ranks` and `dims` list
void Split(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor* input = call.Input(0);
  if (!call.ok()) return;
  const float* flat = Call::Data(input);
  int64_t left = CountOf(ShapeOf(input));
  auto dim = attributes.dims.begin();
  for (size_t i = 0; i < attributes.ranks.size(); i++) {
    if (!call.Expect(attributes.dims.end() - dim >= attributes.ranks[i], "a split got too few dimensions")) return;
    const std::vector<int64_t> shape(dim, dim + attributes.ranks[i]);
    dim += attributes.ranks[i];
    const int64_t count = CountOf(shape);
    if (!call.Expect(count >= 0 && count <= left, "a split got too short a vector")) return;
    float* part = call.Output(static_cast<int>(i), shape);
    if (!call.ok()) return;
    std::memcpy(part, flat, sizeof(float) * count);
    flat += count;
    left -= count;
  }
}

// ------------------------------------------------------------------------------------------------- registration

struct Op {
  const char* name;
  std::vector<const char*> attributes, inputs, outputs;
  void (*compute)(void*, TF_OpKernelContext*);
};

const std::vector<Op> ops = {
    {"ZooBatchNorm",
     {"epsilon: float", "momentum: float", "relu: bool"},
     {"x: float", "gamma: float", "beta: float", "running_mean: float", "running_variance: float"},
     {"y: float", "new_mean: float", "new_variance: float", "mean: float", "variance: float"},
     BatchNorm},
    {"ZooBatchNormGrad",
     {"epsilon: float", "relu: bool"},
     {"dy: float", "x: float", "gamma: float", "beta: float", "mean: float", "variance: float"},
     {"dx: float", "dgamma: float", "dbeta: float"},
     BatchNormGrad},
    {"ZooAdd", {"relu: bool"}, {"a: float", "b: float"}, {"y: float"}, Add},
    {"ZooReluGrad", {}, {"dy: float", "y: float"}, {"dx: float"}, ReluGrad},
    {"ZooShortcutA", {"stride: int", "channels: int"}, {"x: float"}, {"y: float"}, ShortcutA},
    {"ZooShortcutAGrad", {"stride: int"}, {"dy: float", "x: float"}, {"dx: float"}, ShortcutAGrad},
    {"ZooJoin", {"N: int >= 1"}, {"parts: N * float"}, {"flat: float"}, Join},
    {"ZooSplit", {"N: int >= 1", "ranks: list(int)", "dims: list(int)"}, {"flat: float"}, {"parts: N * float"}, Split},
};

/// Registers every op with its kernel. @returns what failed, empty if nothing did
std::string Register() {
  TF_Status* status = TF_NewStatus();
  std::string failure;
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
  TF_DeleteStatus(status);
  return failure;
}

/// start(threads: number): registers the kernels; throws what failed
napi_value Start(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t threads = 1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_int32(env, argument, &threads);
  static bool started = false;
  if (started) return nullptr;
  started = true;
  pool->Start(std::clamp(threads, 1, 256));
  const std::string failure = Register();
  if (!failure.empty()) napi_throw_error(env, nullptr, failure.c_str());
  return nullptr;
}

}  // namespace

extern "C" NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_property_descriptor start = {"start", nullptr, Start, nullptr, nullptr, nullptr, napi_default, nullptr};
  napi_define_properties(env, exports, 1, &start);
  return exports;
}
