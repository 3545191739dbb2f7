// The forms of the entry jump, and why. Measured on an AMD EPYC with AVX-512, medians of 61 interleaved rounds; a call
// of an empty function in a loop takes 2.25 ns:
//
//   E9 straight to the new function                             2.25 ns, the hand-written tail jump
//   FF 25 through eight bytes nearby, to one within 2 GB        2.5
//   FF 25 through eight bytes nearby, to one farther away       3.3
//   E9 to an FF 25 nearby, to one farther away                  3.6
//
// So moult writes E9 where it reaches, else FF 25 through a slot. The last form is used only if the entry has room for
// five bytes and not for six. Of the 1.1 ns to a far function, 0.8 is the processor's cost of any jump that is too far
// for its branch predictor's short form.
//
// The original bytes are restored exactly: `width` bytes are saved before the first write, and never more are written.
#include "code/entry.hpp"

#include <cstring>
#include <optional>

#include "base/check.hpp"

namespace moult::internal {
namespace {

template <class Jump>
void set_jump(Redirection& redirection, const Jump& jump) noexcept {
  static_assert(sizeof jump <= longest_jump);
  std::memcpy(redirection.jump.data(), &jump, sizeof jump);
  redirection.jump_size = sizeof jump;
}

void write_entry(Entry& entry) noexcept {
  std::array<std::uint8_t, longest_jump> bytes = entry.original;
  const Redirection* shown = entry.newest;
  while (shown != nullptr && (shown->is_bypassed || shown->superseded_by != 0)) shown = shown->older;
  if (shown != nullptr) std::memcpy(bytes.data(), shown->jump.data(), shown->jump_size);
  std::memcpy(reinterpret_cast<void*>(value(entry.place)), bytes.data(), entry.width);
  entry.written = bytes;
}

const Redirection* version_from(const Redirection* version) noexcept {
  while (version != nullptr && (version->is_gate || version->superseded_by != 0)) version = version->older;
  return version;
}

void set_originals(const Entry& entry) noexcept {
  for (OriginalWay* way = entry.originals; way != nullptr; way = way->next.get())
    way->target = version_without(entry, way->module, way->compiled);
}

}  // namespace

const Redirection* active_version(const Entry& entry) noexcept { return version_from(entry.newest); }

CodeAddress version_without(const Entry& entry, const void* module, CodeAddress compiled) noexcept {
  const Redirection* found = active_version(entry);
  for (const Redirection* each = found; each != nullptr; each = version_from(each->older))
    if (each->module == module) found = version_from(each->older);
  return found != nullptr ? found->replacement : compiled;
}

void encode_jump(Redirection& redirection, std::size_t room) noexcept {
  CodeAddress place = redirection.entry->place;
  std::optional<x86_64::JumpRel32> straight = x86_64::jump_to(place, redirection.replacement);
  if (straight) return set_jump(redirection, *straight);
  MOULT_CHECK(redirection.slot != nullptr, "a jump farther than 2 GB has no slot");
  redirection.enters_slot = room < sizeof(x86_64::JumpThrough);
  if (redirection.enters_slot) {
    std::uintptr_t slot = reinterpret_cast<std::uintptr_t>(&redirection.slot->jump);
    std::optional<x86_64::JumpRel32> jump = x86_64::jump_to(place, CodeAddress{slot});
    MOULT_CHECK(jump, "the jump slot is out of reach");
    return set_jump(redirection, *jump);
  }
  std::uintptr_t target = reinterpret_cast<std::uintptr_t>(redirection.slot) + offsetof(x86_64::JumpSlot, target);
  std::optional<x86_64::JumpThrough> jump = x86_64::jump_through(place, target);
  MOULT_CHECK(jump, "the jump slot is out of reach");
  set_jump(redirection, *jump);
}

bool is_as_written(const Entry& entry) noexcept {
  return std::memcmp(reinterpret_cast<const void*>(value(entry.place)), entry.written.data(), entry.width) == 0;
}

void apply_redirection(Redirection& redirection) noexcept {
  MOULT_CHECK(redirection.state == Redirection::State::prepared, "a change of code is committed twice");
  redirection.state = Redirection::State::applied;
  redirection.older = redirection.entry->newest;
  redirection.entry->newest = &redirection;
  write_entry(*redirection.entry);
  set_originals(*redirection.entry);
}

void revert_redirection(Redirection& redirection) noexcept {
  MOULT_CHECK(redirection.state == Redirection::State::applied, "a change of code is reverted that is not applied");
  redirection.state = Redirection::State::reverted;
  Redirection** link = &redirection.entry->newest;
  while (*link != &redirection) link = &(*link)->older;
  *link = redirection.older;
  write_entry(*redirection.entry);
  set_originals(*redirection.entry);
}

void bypass(Redirection& redirection, bool is_bypassed) noexcept {
  MOULT_CHECK(redirection.state == Redirection::State::applied, "a change of code is bypassed that is not applied");
  redirection.is_bypassed = is_bypassed;
  write_entry(*redirection.entry);
}

void supersede(Redirection& redirection, std::uint64_t by) noexcept {
  MOULT_CHECK(redirection.state == Redirection::State::applied, "a change of code is superseded that is not applied");
  redirection.superseded_by = by;
  write_entry(*redirection.entry);
  set_originals(*redirection.entry);
}

}  // namespace moult::internal
