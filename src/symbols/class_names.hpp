// Names of one class in terms of another: "DataV2::join(DataV2*)" is to "Data" what "Data::join(Data*)" is.
#pragma once

#include <string>
#include <string_view>

#include "symbols/class_name.hpp"

namespace moult::internal {

/// `text` with the class `replacement` called `old` wherever it stands as a whole name.
std::string renamed(std::string_view text, const ClassName& replacement, const ClassName& old);

/// The same for a type of a field: only where the class stands for an address (a pointer, a reference, an owning
/// pointer) or for the scope of another name. An object of the class is another than one of the other class.
std::string renamed_type(std::string_view text, const ClassName& replacement, const ClassName& old);

/// The same for a member function of `replacement`, demangled: constructors, destructors and conversions too. Without
/// ABI tags ("[abi:cxx11]"): compilers leave them out of names in an unnamed namespace.
std::string renamed_member(std::string_view demangled, const ClassName& replacement, const ClassName& old);

/// What a user reads: "std::string" for its long name.
std::string readable(std::string text);

}  // namespace moult::internal
