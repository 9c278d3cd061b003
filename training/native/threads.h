// Loops shared by several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace zoo {

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
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(300);
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

inline Pool* const pool = new Pool;  // never destroyed: its threads outlive every static

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

}  // namespace zoo
