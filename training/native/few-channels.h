// The gradient of a convolution's input of few channels, which is a transposed convolution to an image: one product
// tells what every pixel of dy gives to all the pixels that it is made of, a vector for few channels of few taps; they
// are then added up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "conv-window.h"
#include "panel.h"
#include "scratch.h"
#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// Adds what the pixels of one dy give to the image that they are made of: [pixels, taps_y, taps_x, channels], of which
/// pixels lie `wide` numbers apart.
inline void AddGifts(const float* gifts, int64_t wide, const std::vector<int64_t>& dy, const std::vector<int64_t>& w,
                     const ConvWindow& window, float* image) {
  const int64_t channels = w[2];
  for (int64_t i = 0; i < dy[1]; i++) {
    for (int64_t j = 0; j < dy[2]; j++, gifts += wide) {
      const int64_t y = i * window.stride_y - window.top, x = j * window.stride_x - window.left;
      const int64_t first = std::max<int64_t>(-x, 0), last = std::min(w[1], window.columns - x);
      for (int64_t u = std::max<int64_t>(-y, 0); u < std::min(w[0], window.rows - y); u++) {
        float* const to = image + ((y + u) * window.columns + x) * channels;
        for (int64_t k = first * channels; k < last * channels; k++) to[k] += gifts[u * w[1] * channels + k];
      }
    }
  }
}

/// dy, filter, bias (or none) -> dx. Products and sums are in single precision, whatever dy is in; in bf16 dx is in it.
inline void FewChannelsConv2DBackpropInput(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *weights = call.Input(1);
  if (!call.ok()) return;
  const auto dy = ShapeOf(gradient), w = ShapeOf(weights);
  ConvWindow window;
  const bool fits = window.Read(attributes) && IsImage(dy) && IsImage(w) && w[3] == dy[3];
  if (!call.Expect(fits, "a convolution got a gradient and a filter that do not fit each other")) return;
  std::vector<float> bias;
  if (!ReadBias(call, w[2], bias)) return;
  const int64_t channels = w[2], outputs = w[3], pixels = dy[1] * dy[2], given = w[0] * w[1] * channels;
  const int64_t blocks = (given + kLanes - 1) / kLanes, wide = blocks * kLanes, size = window.rows * window.columns;
  static const std::vector<float> zeros(kPanelBlocks * kLanes);
  const auto compute = [&](auto* from, auto* to) {
    using Dy = std::remove_pointer_t<decltype(from)>;
    using Dx = std::remove_pointer_t<decltype(to)>;
    Dx* const dx = call.Output<Dx>(0, {dy[0], window.rows, window.columns, channels});
    if (!call.ok()) return;
    Parallel(dy[0], pixels * outputs * wide, [&](int, int64_t begin, int64_t end) {
      static thread_local Scratch room;
      float* const panels = room.Room<float>(wide * outputs + pixels * (wide + outputs) + size * channels);
      float* const gifts = panels + wide * outputs;
      float* const rows = gifts + pixels * wide;
      float* const image = rows + pixels * outputs;
      const Strided taps{Call::Data(weights), 1, outputs};
      for (int64_t b = 0; b < blocks; b += kPanelBlocks) {
        const int64_t columns = std::min(kPanelBlocks, blocks - b) * kLanes;
        PackPanel({taps.At(0, b * kLanes), taps.row, taps.column}, outputs, columns,
                  std::min(columns, given - b * kLanes), panels + b * kLanes * outputs);
      }
      for (int64_t n = begin; n < end; n++) {
        const Dy* const changes = Call::Data<Dy>(gradient) + n * pixels * outputs;
        CoverChannels(pixels * outputs, [&](auto zero, int64_t i) {
          PutNear(rows + i, Get<decltype(zero)>(changes + i));
        });
        for (int64_t b = 0; b < blocks; b += kPanelBlocks) {
          const int64_t count = std::min(kPanelBlocks, blocks - b);
          AddProducts(pixels, count, {rows, outputs, 1}, panels + b * kLanes * outputs, outputs,
                      {zeros.data(), 0, gifts + b * kLanes, wide, count * kLanes});
        }
        for (int64_t i = 0; i < size * channels; i++) image[i] = bias.empty() ? 0.0f : bias[i % channels];
        AddGifts(gifts, wide, dy, w, window, image);
        const float floor = attributes.relu ? 0.0f : -std::numeric_limits<float>::infinity();
        CoverChannels(size * channels, [&](auto zero, int64_t i) {
          using V = decltype(zero);
          PutNear(dx + n * size * channels + i, Above(Get<V>(image + i), zero + floor));
        });
      }
    });
  };
#ifdef ZOO_BF16
  if (attributes.bf16) {
    return WithType(gradient, [&](auto* from) { compute(from, static_cast<Bf16*>(nullptr)); });
  }
#endif
  compute(static_cast<float*>(nullptr), static_cast<float*>(nullptr));
}

}  // namespace zoo
