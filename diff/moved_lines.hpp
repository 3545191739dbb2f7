// Functions that an edit has only moved to other lines. __LINE__ and assert put the line into their code, so it differs
// from the program's, though nothing about them has changed.
//
// Whether that is all, the compiler tells: the edited source is compiled once more, with each function on the line that
// it had. Code that is then the program's own differs by lines alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "diff/object_file.hpp"
#include "symbols/debug_info.hpp"

namespace moult::internal::diff {

/// By file, as the compiler names it: lines of the edited source, and how far from there the program's source has what
/// begins with them.
using MovedLines = std::map<std::string, std::map<int, int>>;

/// By the declarations that both have. Empty if all are where they were.
MovedLines moved_lines(const DebugUnit& old, const DebugUnit& fresh);

/// The text, in which lines are marked as preprocessors do (`# 12 "app.cpp"`), with other marks, so that the compiler
/// counts the lines as in the program's source. `name_of` makes the names in marks those of `moved`.
std::string with_old_lines(std::string_view text, const MovedLines& moved,
                           const std::function<std::string(const std::string&)>& name_of);

/// Two objects have the same instructions in the function `symbol`, but for numbers in them. Then callers that were
/// compiled for one may call the other.
bool has_same_instructions(const ObjectFile& a, const ObjectFile& b, std::string_view symbol);

}  // namespace moult::internal::diff
