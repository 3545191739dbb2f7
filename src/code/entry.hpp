// One function's entry, the jumps that changes have prepared for it, and which of them is active.
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

/// One change's jump at one entry.
struct Redirection {
  enum class State { prepared, applied, reverted };

  Entry* entry = nullptr;
  CodeAddress replacement{};
  const void* module = nullptr;  ///< the replacement's (module_hold.hpp); null if it is in none
  std::uint64_t update = 0;      ///< the update's id; 0: none
  std::string line;              ///< the change, as the update's report shows it
  std::array<std::uint8_t, longest_jump> jump{};
  std::size_t jump_size = 0;
  const x86_64::JumpSlot* slot = nullptr;  ///< if the jump leads to or through one
  bool enters_slot = false;                ///< the jump leads to the slot, so threads may be inside it
  State state = State::prepared;
  bool is_bypassed = false;         ///< applied, but suspended for the moment
  std::uint64_t superseded_by = 0;  ///< applied, but the update of that id stands in for it; 0: none
  bool is_gate = false;             ///< leads to a gate, not to a version of the function
  Redirection* older = nullptr;     ///< applied before this one; active again after this one is reverted

  CodeRange overwritten() const noexcept;
};

/// The way of one module to the version of a function that the module's own versions replace (original.hpp). Stays for
/// ever. Only set_originals changes `target` once the way is in use.
struct OriginalWay {
  const void* module = nullptr;
  CodeAddress compiled{};  ///< the function as it was compiled: its moved entry
  CodeAddress target{};    ///< where calls continue
  CodeAddress stub{};      ///< the code that callers call: it jumps to `target`
  std::unique_ptr<OriginalWay> next;
};

/// Stays at its address. Only apply_redirection, revert_redirection and bypass write its bytes in memory.
struct Entry {
  std::string name;
  CodeAddress function{};
  CodeAddress place{};
  std::array<std::uint8_t, longest_jump> original{};
  std::array<std::uint8_t, longest_jump> written{};  ///< the bytes in memory, unless others write there too
  std::size_t width = 0;                             ///< bytes written from `place` on: the longest jump that fits
  Redirection* newest = nullptr;                     ///< the newest applied one
  OriginalWay* originals = nullptr;                  ///< all of them, linked
  std::vector<std::unique_ptr<Redirection>> redirections;

  CodeRange overwritten() const noexcept { return {place, place + width}; }
};

inline CodeRange Redirection::overwritten() const noexcept { return {entry->place, entry->place + jump_size}; }

/// The newest applied change that is in effect and no gate, or null.
const Redirection* active_version(const Entry& entry) noexcept;

/// Where a call of the function would continue without the versions that are in `module`: the version that the oldest
/// of them replaced; the active version if none is applied; `compiled` if no other version is applied.
CodeAddress version_without(const Entry& entry, const void* module, CodeAddress compiled) noexcept;

/// Encodes the jump from redirection.entry to redirection.replacement, straight or with redirection.slot, which must
/// then be within reach. `room` is at least shortest_jump.
void encode_jump(Redirection& redirection, std::size_t room) noexcept;

/// Whether memory holds the bytes that were written last, or the original bytes if none were.
bool is_as_written(const Entry& entry) noexcept;

/// Writes the jump. The entry's page is writable, no other thread runs, and none is strictly inside the bytes.
void apply_redirection(Redirection& redirection) noexcept;
/// Writes the jump of the newest change that is still applied, or the original bytes. Same conditions.
void revert_redirection(Redirection& redirection) noexcept;
/// Removes the jump for a moment, or restores it. It keeps its place among the entry's changes. Same conditions.
void bypass(Redirection& redirection, bool is_bypassed) noexcept;
/// Takes the jump out of effect while the update `by` stands in for it; 0: into effect again. Same conditions.
void supersede(Redirection& redirection, std::uint64_t by) noexcept;

}  // namespace moult::internal
