// The code between the program and the kernel: libc, the vdso, and other allocators. These are the libraries that
// export a malloc, the sanitizers among them.
//
// An allocator takes its locks in more functions than the exported ones that are known to allocate: when a thread
// starts or ends, in strdup, in a function that the exported one jumps to. So everything that a thread does in such a
// library counts, unless it waits there for something other than the library's lock.
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

  /// If two of them are on one stack, the later one describes it.
  enum class Wait : std::uint8_t {
    none,
    for_event,   ///< an event in another thread or process, of a device, or in time
    for_kernel,  ///< for memory or processor work only, which allocators request with a lock held
    for_lock,
  };
  /// What a thread in a system call may wait for in the libc function around `address`.
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

/// What a thread does in the runtime, as shown by its innermost frames as far as they are in runtime code.
class RuntimeFrames final {
 public:
  explicit RuntimeFrames(const RuntimeCode& code) noexcept : code_(code) {}

  /// Call it from the innermost frame outwards.
  void add(CodeAddress address) noexcept;
  /// Frames further out are not known.
  void end() noexcept { goes_on_ = false; }

  /// True if every frame was in runtime code.
  bool are_all() const noexcept { return goes_on_; }
  /// The last frame added.
  CodeAddress outermost() const noexcept { return last_; }
  /// The outermost frame that is in an allocator, if there is one.
  CodeAddress allocator() const noexcept { return allocator_; }
  /// What the thread waits for if it is in a system call. Valid if all frames are in the runtime or one is in an
  /// allocator.
  RuntimeCode::Wait wait() const noexcept { return wait_; }

 private:
  const RuntimeCode& code_;
  bool goes_on_ = true;
  CodeAddress allocator_{};
  CodeAddress last_{};
  RuntimeCode::Wait wait_ = RuntimeCode::Wait::none;
};

}  // namespace moult::internal
