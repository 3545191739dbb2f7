// Why: a new version often wants to do what the old one did, and something more. The old name leads to the new version.
//
// How: a stub jumps to the address in an OriginalWay. Whenever a change of the function is applied or reverted, in a
// stopped program, entry.cpp sets that address anew. So the order in which updates are applied and rolled back does not
// matter, and code that was rolled back is not called. The function as it was compiled is entered by its moved entry.
//
// The versions of a module count as one: several updates of one file that redefine the same function pass each other
// over. Otherwise a version would have to say which update it belongs to.
//
// The stubs have pages of their own, since a stub reaches everywhere. In all of such a page the stack is as at a
// function's entry.
#include "code/original.hpp"

#include <cstdint>
#include <cstring>
#include <span>

#include "base/fault.hpp"
#include "code/entry.hpp"
#include "code/moved_entry.hpp"
#include "code/near_code.hpp"
#include "platform/x86_64/encodings.hpp"
#include "unwind/unwinder.hpp"

namespace moult::internal {
namespace {

CodeCells& stubs() {
  static CodeCells& only = *new CodeCells(register_entry_code);
  return only;
}

CodeAddress make_stub(const EntryCode& entry, const OriginalWay& way) {
  const x86_64::JumpByPlace jump{.place = reinterpret_cast<std::uintptr_t>(&way.target)};
  const CodeAddress stub = stubs().take(entry.name, entry.place, sizeof jump);
  stubs().write(stub, {reinterpret_cast<const std::uint8_t*>(&jump), sizeof jump});
  return stub;
}

}  // namespace

CodeAddress original_of(const PatchTarget& function, const void* module) {
  MOULT_FAULT("code.original.entry");
  const EntryCode entry = entry_code_of({&function, 1}).front();
  const CodeAddress compiled =
      moved_entry(entry, "moult::original cannot lead to its old code: put the old body into the new version");
  return original_way(entry.function, module, compiled, [&](const OriginalWay& way) { return make_stub(entry, way); });
}

}  // namespace moult::internal
