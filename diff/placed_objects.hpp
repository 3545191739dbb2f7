// Problem: moult finds the objects of a class in its pools. A program that makes one elsewhere, by ::new, by placement
// new or by std::construct_at (as containers do), keeps it with its old layout.
//
// Approach: the compiler tells. In the source's preprocessed text, what makes an object in memory of its own gets a
// mark, which is a function that nothing defines. The object file that is compiled from this text refers to the marks,
// by the names of the classes and in the functions that use them, templates of libraries included.
//
// Limits: memory that becomes an object without a constructor (malloc and a cast) is not seen.
#pragma once

#include <set>
#include <string>

#include "diff/object_file.hpp"
#include "diff/preprocessed_source.hpp"

namespace moult::internal::diff {

/// The source with the marks, to be compiled with access to everything.
std::string with_marks(const PreprocessedSource& source);

/// The functions (demangled) in an object with marks that make objects of the class, or of one that shares its pools,
/// elsewhere.
std::set<std::string> functions_placing(const std::string& class_name, const ObjectFile& object);

}  // namespace moult::internal::diff
