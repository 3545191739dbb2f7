// Calls of updates to their own copies of functions that the program has, too.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

/// The calls that go through one slot of an update's global offset table.
struct OwnCall {
  CodeAddress function{};   ///< the program's
  CodeAddress copy{};       ///< the update's, of the same name
  std::uintptr_t slot = 0;  ///< holds one of the two
};

/// Leads each call to the copy, or to the program's function if that is redirected, and keeps doing so. The slots must
/// be writable, for good.
void add_own_calls(const std::vector<OwnCall>& calls, const std::function<bool(CodeAddress function)>& is_redirected);

/// False if no update calls functions of its own. Then a stop need not look through what it redirects.
bool has_own_calls() noexcept;

/// The copies of the program's function that updates call.
std::vector<CodeAddress> own_copies_of(CodeAddress function);

/// The program's function that such a copy stands for. Any other code itself.
CodeAddress without_own_copy(CodeAddress code);

/// Call it in the stop in which the program's function is redirected, or is not any more.
void lead_own_calls(CodeAddress function, bool is_redirected) noexcept;

}  // namespace moult::internal
