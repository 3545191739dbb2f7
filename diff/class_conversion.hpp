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

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "diff/preprocessed_source.hpp"
#include "symbols/class_layout.hpp"
#include "symbols/place.hpp"

namespace moult::internal::diff {

/// What only the compiler knows of a class, asked in the source.
struct ClassQuestions {
  std::string section;                ///< of the object, with a byte for each: 1 if it is as wanted
  std::vector<std::string> refusals;  ///< what a 0 means
};

struct ClassConversion {
  std::map<std::size_t, std::string> members;  ///< declarations, by the places in the source where they belong
  std::string behind;  ///< for the end of the source: functions, and the entry in the table of edited classes
  ClassQuestions questions;
  std::vector<std::string> notes;
  std::vector<std::string> refusals;  ///< reasons; empty if the objects can be given the new layout
};

/// A field of a class or of one of its bases.
struct InheritedField {
  std::string owner;  ///< the class that declares it
  ClassField field;   ///< its place is that in the whole object
};

/// A class with what it has from its bases that change, too. A base that does not is one unnamed field.
struct WholeClass {
  ClassLayout layout;
  std::vector<InheritedField> fields;
  std::map<std::string, SourceLine> places;  ///< of the definitions, by class
  std::string pool;       ///< the class, itself or a base, that has a pool of its own; "" if none has
  std::string pool_base;  ///< its base: "moult::Updatable<app::Item, 64ul>"
  std::string problem;    ///< why its objects cannot be converted; mostly empty
};

/// `changed` are the names of all classes that the edit changes.
WholeClass whole_class(const Dwarf_Die& type, const std::string& name, const std::set<std::string>& changed);

/// The layouts that a class has had.
struct ClassEdit {
  std::string name;  ///< "app::Item"
  WholeClass program;
  WholeClass old;  ///< of the objects that exist: the program's, or that of an earlier edit
  WholeClass fresh;
};

/// "0: int count; 8: ...": equal for classes whose objects are alike.
std::string text_of(const WholeClass& whole);

/// Why the program's objects of the class are not known, and the next step; "" if they are in pools.
std::string why_not_found(const ClassEdit& edit);

/// For a class whose objects are in pools. `number` tells the conversions of all sources apart. `source` has the edited
/// class's definition.
ClassConversion convert_class(const ClassEdit& edit, const PreprocessedSource& source, int number);

}  // namespace moult::internal::diff
