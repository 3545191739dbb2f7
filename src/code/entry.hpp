// One function's entry, the jumps that changes have prepared for it, and which of them is in force.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "code/entry_plan.hpp"
#include "platform/x86_64/encodings.hpp"

namespace moult::internal {

inline constexpr std::size_t shortest_jump = sizeof(x86_64::JumpRel32);
inline constexpr std::size_t longest_jump = sizeof(x86_64::JumpThrough);

struct Entry;

/// What a committed change makes of one entry.
struct Redirection {
  enum class State { prepared, applied, reverted };

  Entry* entry = nullptr;
  CodeAddress replacement{};
  std::uint64_t update = 0;  ///< its id; 0: none
  std::string line;          ///< as the update tells it
  std::array<std::uint8_t, longest_jump> jump{};
  std::size_t jump_size = 0;
  const x86_64::JumpSlot* slot = nullptr;  ///< when the jump leads to or through one
  bool enters_slot = false;                ///< the jump leads to the slot: threads may be in there
  State state = State::prepared;
  bool is_bypassed = false;      ///< in force, but not for the moment
  bool is_gate = false;          ///< leads to no version of the function
  Redirection* older = nullptr;  ///< committed before this one, and shown again when this one is reverted

  CodeRange overwritten() const noexcept;
};

/// Stays at its address. Its bytes in memory are written by apply_redirection and revert_redirection alone.
struct Entry {
  std::string name;
  CodeAddress function{};
  CodeAddress place{};
  std::array<std::uint8_t, longest_jump> original{};
  std::array<std::uint8_t, longest_jump> written{};  ///< what is in memory, unless others write there too
  std::size_t width = 0;          ///< bytes from `place` on that are written: the longest jump there is room for
  Redirection* newest = nullptr;  ///< of those in force
  std::vector<std::unique_ptr<Redirection>> redirections;

  CodeRange overwritten() const noexcept { return {place, place + width}; }
};

inline CodeRange Redirection::overwritten() const noexcept { return {entry->place, entry->place + jump_size}; }

/// The newest change in force that is no gate, or null.
const Redirection* active_version(const Entry& entry) noexcept;

/// Encodes the jump from redirection.entry to redirection.replacement: straight, or with redirection.slot, which is
/// within reach then. `room` is at least shortest_jump.
void encode_jump(Redirection& redirection, std::size_t room) noexcept;

/// Whether memory holds what was written there last, or the original bytes where nothing was.
bool is_as_written(const Entry& entry) noexcept;

/// Writes the jump. The entry's page is writable; no other thread runs, none is strictly inside the bytes.
void apply_redirection(Redirection& redirection) noexcept;
/// Writes what the newest change that is still in force wants there, or the original bytes. As above.
void revert_redirection(Redirection& redirection) noexcept;
/// Takes the jump away for a moment, or puts it back: it keeps its place among the changes of the entry. As above.
void bypass(Redirection& redirection, bool is_bypassed) noexcept;

}  // namespace moult::internal
