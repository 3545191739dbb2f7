#include "threads/runtime_code.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "threads/dynamic_symbols.hpp"
#include "threads/tail_jumps.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

using namespace std::string_view_literals;

constexpr std::array kernel_calls = {"mmap"sv, "mmap64"sv, "munmap"sv, "mremap"sv,  "mprotect"sv,   "madvise"sv,
                                     "brk"sv,  "sbrk"sv,   "getcpu"sv, "syscall"sv, "sched_yield"sv};

RuntimeCode::Wait wait_of(std::string_view name) noexcept {
  for (std::string_view stem : {"_mutex_"sv, "_rwlock_"sv, "_spin_"sv})
    if (name.find(stem) != name.npos) return RuntimeCode::Wait::for_lock;
  if (name.starts_with("mtx_")) return RuntimeCode::Wait::for_lock;
  bool is_kernel_call = std::find(kernel_calls.begin(), kernel_calls.end(), name) != kernel_calls.end();
  return is_kernel_call ? RuntimeCode::Wait::for_kernel : RuntimeCode::Wait::for_event;
}

}  // namespace

void RuntimeCode::add_libc(const DynamicSymbols& libc, CodeRange range) {
  libc_ = range;
  libc.for_each([&](std::string_view name, CodeRange function) {
    const Wait wait = wait_of(name);
    libc_entries_.push_back({function.begin, wait});
    if (std::optional<CodeRange> inner = last_jump_of(function, range)) libc_entries_.push_back({inner->begin, wait});
  });
  // Other names of the same function may not tell what it waits for.
  std::sort(libc_entries_.begin(), libc_entries_.end(),
            [](const Entry& a, const Entry& b) { return a.begin != b.begin ? a.begin < b.begin : a.wait > b.wait; });
}

bool RuntimeCode::is_allocator(CodeAddress address) const noexcept {
  return std::any_of(allocators_.begin(), allocators_.end(),
                     [address](CodeRange range) { return range.contains(address); });
}

RuntimeCode::Wait RuntimeCode::wait_in(CodeAddress address) const noexcept {
  std::optional<CodeRange> function = libc_.contains(address) ? unwind_entry_at(address) : std::nullopt;
  if (!function) return Wait::none;
  auto entry = std::lower_bound(libc_entries_.begin(), libc_entries_.end(), function->begin,
                                [](const Entry& one, CodeAddress begin) { return one.begin < begin; });
  return entry != libc_entries_.end() && entry->begin == function->begin ? entry->wait : Wait::none;
}

void RuntimeFrames::add(CodeAddress address) noexcept {
  if (!goes_on_) return;
  goes_on_ = code_.contains(address);
  if (code_.is_allocator(address)) allocator_ = address;
  // Only now, because now the last frame has a caller. The outermost frame of all, the thread's start, does not tell
  // what the thread does. And not for a thread of the program that waits in libc, where the answer is not needed.
  const bool matters = goes_on_ || allocator_ != CodeAddress{};
  if (matters && last_ != CodeAddress{}) wait_ = std::max(wait_, code_.wait_in(last_));
  last_ = address;
}

}  // namespace moult::internal
