// Memory that a thread keeps from call to call.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace zoo {

class Scratch {
 public:
  ~Scratch() { std::free(data_); }

  /// Room for so many numbers, of any content.
  template <typename T>
  T* Room(int64_t count) {
    const size_t bytes = (static_cast<size_t>(count) * sizeof(T) + 4095) / 4096 * 4096;
    if (bytes > bytes_) {
      std::free(data_);
      data_ = std::aligned_alloc(4096, bytes);
      bytes_ = data_ == nullptr ? 0 : bytes;
    }
    return static_cast<T*>(data_);
  }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace zoo
