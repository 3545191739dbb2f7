// The code that runs between the program and the kernel: libc, the vdso, and other allocators, which are the libraries
// that export a malloc. The sanitizers are such libraries, too.
//
// An allocator's locks are taken in more functions than the exported ones that are known to allocate: when a thread
// starts or ends, in strdup, in a function that the exported one jumps to. So whatever a thread does in such a library
// counts, unless it waits there for something that is no lock of the library's.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

class DynamicSymbols;

class RuntimeCode final {
 public:
  void add_libc(const DynamicSymbols& libc, CodeRange range);
  void add_vdso(CodeRange range) noexcept { vdso_ = range; }
  void add_allocator(CodeRange range) { allocators_.push_back(range); }

  CodeRange libc() const noexcept { return libc_; }
  bool contains(CodeAddress address) const noexcept {
    return libc_.contains(address) || vdso_.contains(address) || is_allocator(address);
  }
  bool is_allocator(CodeAddress address) const noexcept;

  /// Of two, the later one says more of a stack that both are on.
  enum class Wait : std::uint8_t {
    none,
    for_event,   ///< of another thread, another process, a device or time
    for_kernel,  ///< only to do something with memory or processors, as allocators ask it to with a lock held
    for_lock,
  };
  /// What a thread that is in a system call may wait for in the function of libc around `address`.
  Wait wait_in(CodeAddress address) const noexcept;

 private:
  CodeRange libc_{};
  CodeRange vdso_{};
  std::vector<CodeRange> allocators_;
  struct Entry {
    CodeAddress begin;
    Wait wait;
  };
  std::vector<Entry> libc_entries_;  ///< where libc's exported functions begin, sorted
};

/// What a thread does in the runtime: its innermost frames, as long as they lie there.
class RuntimeFrames final {
 public:
  explicit RuntimeFrames(const RuntimeCode& code) noexcept : code_(code) {}

  /// From the innermost frame outwards.
  void add(CodeAddress address) noexcept;
  /// What comes further out is not known.
  void end() noexcept { goes_on_ = false; }

  /// True when no frame was of other code.
  bool are_all() const noexcept { return goes_on_; }
  /// The last one that was added.
  CodeAddress outermost() const noexcept { return last_; }
  /// The outermost one that is an allocator's, if there is one.
  CodeAddress allocator() const noexcept { return allocator_; }
  /// What they wait for if the thread is in a system call; told where they are all, or an allocator's is among them.
  RuntimeCode::Wait wait() const noexcept { return wait_; }

 private:
  const RuntimeCode& code_;
  bool goes_on_ = true;
  CodeAddress allocator_{};
  CodeAddress last_{};
  RuntimeCode::Wait wait_ = RuntimeCode::Wait::none;
};

}  // namespace moult::internal
