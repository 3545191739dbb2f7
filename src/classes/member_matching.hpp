// Which code of one class stands for which of another. Pure: no program is read.
#pragma once

#include <string>
#include <vector>

#include "symbols/class_layout.hpp"

namespace moult::internal {

/// A class's member functions: what it declares, and what has code.
struct ClassMembers {
  ClassLayout layout;
  std::vector<MemberCode> code;
};

struct MemberPair {
  MemberCode old;
  MemberCode replacement;
};

enum class WhyUnmatched {
  missing,          ///< the new class has no such function
  without_code,     ///< it declares one that has no code: nobody in the update uses it
  other_signature,  ///< it has one of that name with other parameters, or static, or with another result
  shared_code,      ///< the linker has put two functions of the old class in one place, and the new ones differ
};

struct UnmatchedMember {
  WhyUnmatched why{};
  std::string function;  ///< of the old class, demangled
  std::string text;      ///< for the reader, with the next step
};

struct MemberMatch {
  std::vector<MemberPair> pairs;  ///< one for each entry of the old code
  std::vector<UnmatchedMember> unmatched;
  std::vector<std::string> added;  ///< functions that only the new class has
};

/// By name and signature, with the new class called as the old one; constructors and destructors variant by variant
/// (Itanium C++ ABI, 5.1.4.3). Without virtual bases the variants for complete objects and for base objects do the
/// same, and one stands in for the other.
MemberMatch match_members(const ClassMembers& old, const ClassMembers& replacement);

}  // namespace moult::internal
