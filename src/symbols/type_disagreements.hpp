// Classes that two pieces of code name alike and lay out differently.
//
// Reads files only, like Program: in any thread, one thread an object, never in a signal handler.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "symbols/class_layout.hpp"
#include "symbols/layout_comparison.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// A class as the old code and as its replacement were compiled with it.
struct TypeDisagreement {
  ClassLayout old;
  ClassLayout replacement;
  LayoutComparison comparison;
};

/// The classes that the source file of a replacement (second) defines otherwise than the source file of its old
/// function (first), each once. Functions without debug information are left out.
std::vector<TypeDisagreement> type_disagreements(const Program& program,
                                                 std::span<const std::pair<CodeAddress, CodeAddress>> functions);

}  // namespace moult::internal
