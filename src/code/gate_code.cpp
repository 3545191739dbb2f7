// A cell of 256 bytes holds a gate's stub (24 bytes) and, from byte 32 on, the copy of the function's first
// instructions: six bytes at most are overwritten, so the copy is of 20 bytes at most; made longer by moving it stays
// below 110. A page of cells is within reach of the functions that it serves. It is writable only while a cell is
// written.
//
// The unwinder is told what both are: at a stub the stack is as at the function's entry, and in the copy it is as in
// the instructions copied.
#include "code/gate_code.hpp"

#include <cerrno>
#include <cstring>

#include "base/check.hpp"
#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "code/entry.hpp"
#include "code/near_pool.hpp"
#include "code/relocation.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "unwind/unwinder.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t cell_size = 256;
constexpr std::size_t copy_offset = 32;
constexpr std::size_t gate_reach = (std::size_t{1} << 31) - (std::size_t{1} << 20);

struct Page {
  std::uintptr_t begin = 0;
  std::size_t used = 0;
};

Guarded<std::vector<Page>>& pages() {
  static Guarded<std::vector<Page>>& only = *new Guarded<std::vector<Page>>();
  return only;
}

Page map_page(const EntryCode& entry) {
  MOULT_FAULT("code.gate.map");
  const AddressSpace& space = address_space();
  for (int round = 0; round < most_mapping_rounds; ++round)
    for (std::uintptr_t begin : free_places(space.mappings(), value(entry.place), page_size(), gate_reach))
      if (space.map_at(begin, page_size(), Protection::read | Protection::execute)) return {begin, 0};
  throw Error(ErrorCode::no_room, entry.name + ": no free address space within 2 GB of its code at " +
                                      hex_text(value(entry.place)) +
                                      ", where a gate needs a page; unmap something near it, or wait without a gate");
}

CodeAddress take_cell(const EntryCode& entry) {
  return pages().with([&](std::vector<Page>& all) {
    auto is_usable = [&](const Page& page) {
      return page.used + cell_size <= page_size() && distance_between(page.begin, value(entry.place)) < gate_reach;
    };
    auto page = std::find_if(all.begin(), all.end(), is_usable);
    if (page == all.end()) {
      all.reserve(all.size() + 1);
      all.push_back(map_page(entry));
      page = std::prev(all.end());
    }
    return CodeAddress{page->begin + std::exchange(page->used, page->used + cell_size)};
  });
}

/// Other cells of the page may be in use: it stays executable.
void write_code(CodeAddress at, std::span<const std::uint8_t> bytes) {
  MOULT_FAULT("code.gate.write");
  const AddressSpace& space = address_space();
  const std::size_t size = page_size();
  const std::uintptr_t page = value(at) / size * size;
  pages().with([&](std::vector<Page>&) {
    if (!space.protect(page, size, Protection::read | Protection::write | Protection::execute))
      throw Error(ErrorCode::system, std::string("a gate's code cannot be written: ") + std::strerror(errno) +
                                         "; the system's security policy must allow it (execmem)");
    std::memcpy(reinterpret_cast<void*>(value(at)), bytes.data(), bytes.size());
    MOULT_CHECK(space.protect(page, size, Protection::read | Protection::execute), "a gate's page cannot be closed");
  });
}

}  // namespace

std::unique_ptr<GatedFunction> make_gated_function(const EntryCode& entry, CodeAddress (*decide)(GateEntry&)) {
  std::unique_ptr<GatedFunction> made = std::make_unique<GatedFunction>();
  made->gate.decide = decide;
  made->gate.function = entry.function;
  made->original = entry.bytes;
  made->stub = take_cell(entry);
  made->room = made->stub + copy_offset;
  const GateStub stub = stub_for(made->gate);
  write_code(made->stub, {reinterpret_cast<const std::uint8_t*>(&stub), sizeof stub});
  register_entry_code({made->stub, made->stub + offsetof(GateStub, target)});
  return made;
}

CodeAddress copy_of(GatedFunction& function, const EntryCode& entry) {
  if (function.copy != CodeAddress{}) return function.copy;
  const MovedCode moved = move_code(entry.name, {entry.place, entry.bytes}, entry.overwritten, function.room);
  MOULT_CHECK(moved.bytes.size() <= cell_size - copy_offset, "the copy of an entry's instructions is too long");
  write_code(function.room, moved.bytes);
  std::vector<MovedInstruction> instructions;
  for (const MovedCode::Step& step : moved.steps) instructions.push_back({function.room + step.offset, step.original});
  register_moved_code({function.room, function.room + moved.bytes.size()}, std::move(instructions));
  function.copy = function.room;
  return function.copy;
}

}  // namespace moult::internal
