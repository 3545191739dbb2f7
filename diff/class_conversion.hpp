// What gives the objects of an edited class their new layout: functions that are compiled with the edited source, since
// only the compiler knows the class's types and the initialisers of its new fields.
//
// A class that has grown at its end keeps its fields where they are, and the new ones are constructed behind them, in
// the order of their declaration, by their default member initialisers. Any other change makes an object aside: fields
// that have another place are moved, numbers of another type are converted, and new fields are constructed. Then its
// parts are moved to where the object was. Fields with the place and type that they had are not touched in either case.
//
// After the object transformers that Ginseng generates (Neamtiu et al., PLDI 2006).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "diff/preprocessed_source.hpp"
#include "symbols/class_layout.hpp"

namespace moult::internal::diff {

struct ClassConversion {
  std::string member;  ///< for the class's definition: a declaration
  std::string behind;  ///< for the end of the source: functions, and the entry in the table of edited classes
  std::vector<std::string> notes;
  std::vector<std::string> refusals;  ///< reasons; empty if the objects can be given the new layout
};

/// The layouts that a class has had.
struct ClassEdit {
  std::string name;  ///< "app::Item"
  ClassLayout program;
  ClassLayout old;  ///< of the objects that exist: the program's, or that of an earlier edit
  ClassLayout fresh;
};

/// "0: int count; 8: ...": equal for classes whose objects are alike.
std::string text_of(const ClassLayout& layout);

/// True if the class has a pool of its own, in which its objects are found.
bool has_own_pool(const ClassLayout& layout);

/// True for what the conversions bring: it is none of the source's.
bool is_of_conversion(std::string_view function);

/// `number` tells the conversions of a source apart. `body` is the edited class's definition in `source`.
ClassConversion convert_class(const ClassEdit& edit, const PreprocessedSource& source, const ClassBody& body,
                              int number);

}  // namespace moult::internal::diff
