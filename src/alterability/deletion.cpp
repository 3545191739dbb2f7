// Why: `delete p` runs the destructor, then gives the slot back. A thread that is stopped between the two is in no
// function of the class any more, and the slot still counts as live: what lies in it must not be taken for an object.
//
// How: the code in between is straight: a few instructions and then the call. So each thread's innermost code is
// followed from where it stands, both ways at a branch, up to the next calls. When one of them leads to moult's
// deallocation (straight, through the linkage table, or through a pointer beside the code) the thread is about to
// delete. Threads that are in that function already are found by its code.
//
// Limits: a linkage table entry that was never used does not tell where it leads, and is taken for one of these. A
// thread inside the C library or the kernel is in no such place. A class's own operator delete that does more before it
// comes to moult's is not seen through.
#include "alterability/deletion.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "code/decoder.hpp"
#include "data/pool.hpp"
#include "data/thread_slabs.hpp"
#include "moult/detail/pools.hpp"
#include "platform/x86_64/encodings.hpp"

namespace moult::alterability {
namespace {

constexpr std::size_t most_instructions = 64;
constexpr std::size_t most_branches = 8;
constexpr std::size_t longest_instruction = 15;
constexpr int most_frames = 8;  // from what deallocation calls up to it
constexpr std::uintptr_t page = 4096;

/// Reads beyond the page only where the instruction does, too.
std::optional<code::Instruction> instruction_at(CodeAddress at) {
  const std::uint8_t* bytes = reinterpret_cast<const std::uint8_t*>(value(at));
  std::size_t to_page_end = page - value(at) % page;
  std::size_t size = std::min<std::size_t>(longest_instruction, to_page_end);
  std::optional<code::Instruction> found = code::decode({bytes, size}, at);
  if (!found && size < longest_instruction) found = code::decode({bytes, longest_instruction}, at);
  return found;
}

CodeAddress pointer_at(std::uintptr_t place) noexcept {
  CodeAddress target{};
  std::memcpy(&target, reinterpret_cast<const void*>(place), sizeof target);
  return target;
}

/// An entry of the linkage table that was not bound yet leads to where its number is pushed for the loader.
bool is_unbound(CodeAddress target) {
  std::optional<code::Instruction> first = instruction_at(target);
  if (first && first->kind == code::InstructionKind::endbr64) target = target + first->length;
  return *reinterpret_cast<const std::uint8_t*>(value(target)) == x86_64::push_imm32;
}

/// What data::deallocate ends with, as a jump. A member function that is not virtual is its address (Itanium C++ ABI).
AnyFunction freeing_elsewhere() {
  auto parts = std::bit_cast<std::array<std::uintptr_t, 2>>(&data::Pool::free_from_outside);
  return {reinterpret_cast<const void*>(parts[0]), "free_from_outside"};
}

}  // namespace

Deletions::Deletions(const symbols::Program& program) {
  const FunctionExtent entry = extent_of(program, AnyFunction(&detail::deallocate));
  entry_ = entry.ranges.front();
  for (const FunctionExtent& extent :
       {entry, extent_of(program, AnyFunction(&data::deallocate)),
        extent_of(program, AnyFunction(&data::deallocate_with_values)), extent_of(program, freeing_elsewhere())})
    ranges_.insert(ranges_.end(), extent.ranges.begin(), extent.ranges.end());
}

/// `target` is deallocation, or a stub of the linkage table that jumps to it.
bool Deletions::is_way_there(CodeAddress target) const noexcept {
  CodeAddress at = target;
  for (int step = 0; step < 3; ++step) {
    if (entry_.contains(at)) return true;
    std::optional<code::Instruction> instruction = instruction_at(at);
    if (!instruction || instruction->is_call) return false;
    if (instruction->pointer) {
      CodeAddress through = pointer_at(*instruction->pointer);
      return entry_.contains(through) || is_unbound(through);
    }
    if (instruction->kind != code::InstructionKind::endbr64) return false;
    at = at + instruction->length;
  }
  return false;
}

bool Deletions::leads_there(CodeAddress from) const noexcept {
  std::array<CodeAddress, most_branches> ways{from};
  std::size_t way_count = 1;
  std::size_t left = most_instructions;
  while (way_count > 0) {
    CodeAddress at = ways[--way_count];
    while (left > 0) {
      --left;
      std::optional<code::Instruction> instruction = instruction_at(at);
      if (!instruction) break;
      if (instruction->pointer && entry_.contains(pointer_at(*instruction->pointer))) return true;
      if (instruction->target && is_way_there(*instruction->target)) return true;
      if (instruction->is_call) break;
      if (instruction->target && way_count < ways.size()) ways[way_count++] = *instruction->target;
      if (!instruction->goes_on) break;
      at = at + instruction->length;
    }
  }
  return false;
}

std::optional<ThreadId> Deletions::find(const threads::StoppedWorld& stopped) const {
  std::optional<ThreadId> found;
  std::span<const ThreadId> others = stopped.threads().first(stopped.thread_count());
  for (ThreadId thread : others) {
    int depth = 0;
    stopped.walk(thread, [&](const threads::Frame& frame) {
      bool is_inside = std::any_of(ranges_.begin(), ranges_.end(),
                                   [&](const CodeRange& range) { return range.contains(frame.lookup_address()); });
      if (is_inside || (depth == 0 && leads_there(frame.pc))) found = thread;
      return !found && ++depth < most_frames;
    });
    if (found) return found;
  }
  return found;
}

}  // namespace moult::alterability
