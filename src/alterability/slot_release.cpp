// Problem: `delete p` runs the destructor, then releases the slot. A thread that is stopped in between is in no
// function of the class any more, and the slot still counts as live. Its content must not be taken for an object.
//
// Approach: a few straight instructions lead from the destructor to the release. So we decode each thread's innermost
// code from where it stands, both ways at a branch, up to the next calls. If one of these reaches moult's deallocation
// (directly, through the linkage table, or through a pointer beside the code), the thread is about to release a slot. A
// thread inside the deallocation is recognised by its code.
//
// A destructor may end in a jump, for instance to free memory as its last action. Its frame is then gone while the
// thread is in the target, at any depth. So if a call returns to such code, and the called function is not the active
// one, the thread counts as well.
//
// Limits: at most 64 instructions and 8 branches. A class's own operator delete that does more before it calls moult's
// is not recognised. The target of a call by pointer is unknown; destructors are called so by hand, or in code without
// a linkage table, which is recognised.
#include "alterability/slot_release.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include "code/decoder.hpp"
#include "code/linkage_stub.hpp"
#include "moult/detail/pools.hpp"
#include "pools/pool.hpp"
#include "pools/thread_slabs.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t most_instructions = 64;
constexpr std::size_t most_branches = 8;
constexpr int most_frames = 8;  // from the callees of deallocation up to it
constexpr std::uintptr_t page = 4096;

/// deallocate ends in a jump to it. A non-virtual member function pointer holds its address (Itanium C++ ABI).
AnyFunction freeing_elsewhere() {
  auto parts = std::bit_cast<std::array<std::uintptr_t, 2>>(&Pool::free_from_outside);
  return {reinterpret_cast<const void*>(parts[0]), "free_from_outside"};
}

/// The target of the call that returns to `behind`, if the instruction shows it.
std::optional<CodeAddress> called_before(CodeAddress behind) {
  constexpr std::size_t through_pointer = 6;  // bytes of `call [rip + d]`
  constexpr std::size_t direct = 5;
  if (value(behind) % page < through_pointer) {  // the page before may be unmapped
    std::optional<CodeRange> function = unwind_entry_at(CodeAddress{value(behind) - 1});
    if (!function || value(behind) - value(function->begin) < through_pointer) return std::nullopt;
  }
  std::optional<Instruction> call = decode_at(CodeAddress{value(behind) - direct});
  if (call && call->kind == InstructionKind::direct_call && call->length == direct) return call->target;
  call = decode_at(CodeAddress{value(behind) - through_pointer});
  if (call && call->is_call && call->pointer && call->length == through_pointer) return target_in(*call->pointer);
  return std::nullopt;
}

/// The target of a linkage table stub; `target` itself if it is not one. A stub's size tells it from a function that is
/// just such a jump.
CodeAddress behind_stub(CodeAddress target) {
  constexpr std::size_t stub = 8;  // bytes; a stub's size is a multiple of it
  const std::optional<CodeRange> entry = unwind_entry_at(target);
  const std::optional<std::uintptr_t> slot = entry ? slot_of_stub(target) : std::nullopt;
  return slot && entry->size() % stub == 0 ? target_in(*slot) : target;
}

/// True when the function called where `outer` goes on has ended in a jump, so that `inner` is another function.
bool is_left_by_jump(const Frame& inner, const Frame& outer) {
  std::optional<CodeAddress> called = called_before(outer.pc);
  if (!called) return false;
  std::optional<CodeRange> active = unwind_entry_at(inner.lookup_address());
  return !active || !(active->contains(*called) || active->contains(behind_stub(*called)));
}

}  // namespace

SlotRelease::SlotRelease(const Program& program) {
  const FunctionExtent entry = extent_of(program, AnyFunction(&detail::deallocate));
  entry_ = entry.ranges.front();
  for (const FunctionExtent& extent :
       {entry, extent_of(program, AnyFunction(&deallocate)), extent_of(program, AnyFunction(&deallocate_with_values)),
        extent_of(program, freeing_elsewhere())})
    ranges_.insert(ranges_.end(), extent.ranges.begin(), extent.ranges.end());
}

/// True for deallocation, and for a linkage table stub that jumps to it.
bool SlotRelease::is_way_there(CodeAddress target) const noexcept {
  if (entry_.contains(target)) return true;
  const std::optional<std::uintptr_t> slot = slot_of_stub(target);
  if (!slot) return false;
  const CodeAddress through = target_in(*slot);
  if (entry_.contains(through)) return true;
  const std::optional<std::string_view> name = unbound_name(through);
  return name && (name->empty() || *name == "_ZN5moult6detail10deallocateEPv");
}

bool SlotRelease::leads_there(CodeAddress from) const noexcept {
  std::array<CodeAddress, most_branches> ways{from};
  std::size_t way_count = 1;
  std::size_t left = most_instructions;
  while (way_count > 0) {
    CodeAddress at = ways[--way_count];
    while (left > 0) {
      --left;
      std::optional<Instruction> instruction = decode_at(at);
      if (!instruction) break;
      if (instruction->pointer && entry_.contains(target_in(*instruction->pointer))) return true;
      if (instruction->target && is_way_there(*instruction->target)) return true;
      if (instruction->is_call) break;
      if (instruction->target && way_count < ways.size()) ways[way_count++] = *instruction->target;
      if (!instruction->goes_on) break;
      at = at + instruction->length;
    }
  }
  return false;
}

bool SlotRelease::is_inside(const Frame& frame) const noexcept {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&](const CodeRange& range) { return range.contains(frame.lookup_address()); });
}

std::optional<ThreadId> SlotRelease::find(const StoppedWorld& stopped) const {
  std::optional<ThreadId> found;
  std::span<const ThreadId> others = stopped.threads().first(stopped.thread_count());
  for (ThreadId thread : others) {
    int depth = 0;
    Frame inner;
    stopped.walk(thread, [&](const Frame& frame) {
      if (depth < most_frames && is_inside(frame)) found = thread;
      if (frame.is_precise && (!frame.is_return_address || is_left_by_jump(inner, frame)) && leads_there(frame.pc))
        found = thread;
      inner = frame;
      ++depth;
      return !found && (frame.is_precise || depth < most_frames);
    });
    if (found) return found;
  }
  return found;
}

}  // namespace moult::internal
