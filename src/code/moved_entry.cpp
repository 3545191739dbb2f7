// At most six bytes are overwritten, so the copied instructions have at most 20 bytes; moved, they stay below 110. The
// unwinder is told of the copy: there the stack is as in the copied instructions.
#include "code/moved_entry.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/guarded.hpp"
#include "code/near_code.hpp"
#include "code/relocation.hpp"
#include "moult/error.hpp"
#include "unwind/unwinder.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t cell_size = 128;

struct MovedEntry {
  CodeAddress function{};
  std::vector<std::uint8_t> original;  ///< another library may be at the address later
  CodeAddress copy{};
};

/// Every copy ever made.
Guarded<std::vector<MovedEntry>>& moved_entries() {
  static Guarded<std::vector<MovedEntry>>& only = *new Guarded<std::vector<MovedEntry>>();
  return only;
}

CodeAddress make_copy(const EntryCode& entry) {
  const CodeBytes code{entry.place, entry.bytes};
  move_code(entry.name, code, entry.overwritten, entry.place);  // refuses before a cell is taken
  const CodeAddress copy = near_code().take(entry.name, entry.place, cell_size);
  const MovedCode moved = move_code(entry.name, code, entry.overwritten, copy);
  MOULT_CHECK(moved.bytes.size() <= cell_size, "the copy of an entry's instructions is too long");
  near_code().write(copy, moved.bytes);
  std::vector<MovedInstruction> instructions;
  for (const MovedCode::Step& step : moved.steps) instructions.push_back({copy + step.offset, step.original});
  register_moved_code({copy, copy + moved.bytes.size()}, std::move(instructions));
  return copy;
}

}  // namespace

CodeAddress moved_entry(const EntryCode& entry, const std::string& next_step) try {
  if (entry.is_loop_head)
    throw Error(ErrorCode::unsupported_code,
                entry.name + ": jumps back to its own entry, which leads to another version when it is redefined");
  return moved_entries().with([&](std::vector<MovedEntry>& all) {
    const auto known = std::find_if(all.begin(), all.end(), [&](const MovedEntry& each) {
      return each.function == entry.function && each.original == entry.bytes;
    });
    if (known != all.end()) return known->copy;
    all.reserve(all.size() + 1);
    all.push_back({entry.function, entry.bytes, make_copy(entry)});
    return all.back().copy;
  });
} catch (const Error& error) {
  if (error.code() != ErrorCode::unsupported_code) throw;
  throw Error(ErrorCode::unsupported_code, error.what() + ("; " + next_step));
}

CodeAddress permanent_entry(const EntryCode& entry, const std::string& next_step) {
  return entry.active ? *entry.active : moved_entry(entry, next_step);
}

}  // namespace moult::internal
