// The proof that every other thread of the process is stopped at a safepoint.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/transaction.hpp"
#include "moult/update.hpp"
#include "platform/x86_64/context.hpp"
#include "unwind/frame.hpp"

namespace moult::internal {

/// Memory that threads wait for and that is filled in the stop itself (convert/). Such a thread is stopped where it
/// waits, in any calls except those of the allocator. The stopping thread calls these functions while others are
/// stopped anywhere, so they neither allocate nor take a lock that a stopped thread may hold.
class MemoryFilledInStop {
 public:
  virtual ~MemoryFilledInStop() = default;
  /// Whether the thread waits for such memory, as far as is known.
  virtual bool is_awaited_by(pid_t task) const noexcept = 0;
  /// The thread waits inside a system call, which cannot be interrupted, and all others are stopped. It gets to see the
  /// memory as it is, so that the call returns first.
  virtual void map_for(pid_t task) noexcept = 0;
  /// Unmaps what was mapped for a thread, because a thread is about to continue.
  virtual void unmap() noexcept = 0;
};

struct StopOptions {
  std::chrono::milliseconds timeout{1000};
  /// Code about to be overwritten: no thread may be strictly inside one of these ranges. Sorted, not overlapping.
  std::span<const CodeRange> keep_out{};
  /// For a stop whose result threads wait for: other stops give way to it.
  MemoryFilledInStop* memory = nullptr;
};

/// The proof of a stop; only `stop` makes one. Functions that need the program stopped take a `const StoppedWorld&`.
class StoppedWorld final : public Suspension {
 public:
  /// Stops every other thread. After `timeout` throws Error (thread_unstoppable), naming the stop blocker and its
  /// frames; every thread runs again then. The caller must hold no moult lock.
  static std::unique_ptr<StoppedWorld> stop(const StopOptions& options);
  /// Resumes every thread.
  ~StoppedWorld() override;

  std::chrono::steady_clock::time_point began() const noexcept override;
  std::vector<std::string> thread_names() const override;
  std::size_t thread_count() const noexcept override;
  void release() noexcept override;

  /// The stopped threads, and then the calling one.
  std::span<const ThreadId> threads() const noexcept;
  /// Calls `visit(frame)` from the innermost frame outwards until it returns false. Does not allocate.
  void walk(ThreadId thread, const std::function<bool(const Frame&)>& visit) const;
  /// Calls `visit(words)` with the thread's registers, general ones and vectors, then with the words of its stack, once
  /// for each stack that it uses. Words that are not in use any more may be among them. Does nothing for the calling
  /// thread, whose stack holds the search itself. Does not allocate.
  void visit_words(ThreadId thread, const std::function<void(std::span<const std::uint64_t>)>& visit) const;
  /// The registers with which the stopped thread will continue; they may be changed. Null for the calling thread and
  /// for a thread that is not stopped.
  ucontext_t* context(ThreadId thread) const noexcept;
  /// The same as walk for every thread, the calling one last, until `visit` returns false.
  void walk_all(const std::function<bool(ThreadId, const Frame&)>& visit) const;

 private:
  class Impl;
  explicit StoppedWorld(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace moult::internal
