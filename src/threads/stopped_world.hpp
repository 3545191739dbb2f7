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

/// True when `address` is inside one of `ranges` but not at its first byte. `ranges` is sorted and does not overlap.
bool is_strictly_inside(std::span<const CodeRange> ranges, CodeAddress address) noexcept;

/// Memory that threads wait for and that is filled in the stop itself (data/slab_stops.hpp). Such a thread is stopped
/// where it waits, whatever calls it is in but those of the allocator. Called by the stopper while others stand
/// anywhere, so these functions neither allocate nor take a lock that a stopped thread may hold.
class MemoryFilledInStop {
 public:
  virtual ~MemoryFilledInStop() = default;
  /// Whether the thread waits for such memory, as far as is known.
  virtual bool is_awaited_by(pid_t task) const noexcept = 0;
  /// The thread waits inside a system call, which cannot be broken off, and all others stand: it gets to see the memory
  /// as it is, so that the call comes to its end first.
  virtual void map_for(pid_t task) noexcept = 0;
  /// What was shown is hidden again: some thread is about to go on.
  virtual void unmap() noexcept = 0;
};

struct StopOptions {
  std::chrono::milliseconds timeout{1000};
  /// No thread may be strictly inside one of these: code about to be overwritten. Sorted, not overlapping.
  std::span<const CodeRange> keep_out{};
  /// For a stop that lets waiting threads go on: others give way to it.
  MemoryFilledInStop* memory = nullptr;
};

/// Only `stop` makes one. What needs the program frozen takes a `const StoppedWorld&`.
class StoppedWorld final : public Suspension {
 public:
  /// Stops every other thread. Throws Error (thread_unstoppable) after `timeout`, naming the thread and the frame that
  /// held it up; every thread runs again then. The caller holds no lock of moult.
  static std::unique_ptr<StoppedWorld> stop(const StopOptions& options);
  /// Resumes every thread.
  ~StoppedWorld() override;

  std::chrono::steady_clock::time_point began() const noexcept override;
  std::vector<std::string> thread_names() const override;
  std::size_t thread_count() const noexcept override;
  void release() noexcept override;

  /// The stopped threads, and last the calling one.
  std::span<const ThreadId> threads() const noexcept;
  /// Calls `visit(frame)` from the innermost frame outwards until it returns false. Does not allocate.
  void walk(ThreadId thread, const std::function<bool(const Frame&)>& visit) const;
  /// Calls `visit(words)` with the thread's registers, general ones and vectors, then with the words of its stack, a
  /// run for each stack that it stands on. Words that are not in use any more may be among them. Nothing for the
  /// calling thread, on whose stack the search itself is. Does not allocate.
  void visit_words(ThreadId thread, const std::function<void(std::span<const std::uint64_t>)>& visit) const;
  /// The registers that the stopped thread will go on with, which may be changed. Null for the calling thread and for
  /// one that is not stopped.
  ucontext_t* context(ThreadId thread) const noexcept;
  /// The same as walk for every thread, the calling one last, until `visit` returns false.
  void walk_all(const std::function<bool(ThreadId, const Frame&)>& visit) const;

 private:
  class Impl;
  explicit StoppedWorld(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// "name (id)", from /proc.
std::string describe_thread(ThreadId thread);

}  // namespace moult::internal
