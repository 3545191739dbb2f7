// What an edit's file tells of itself, once it is loaded (elf/edit_format.hpp).
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "functions/function_change.hpp"
#include "recipes/edit_origins.hpp"
#include "recipes/edited_classes.hpp"
#include "recipes/new_variables.hpp"
#include "recipes/reset_variables.hpp"

namespace moult::internal {

/// What one edit brings.
struct Edit {
  std::string name;
  std::vector<std::string> sources;  ///< that were compared: they are now as this edit has them
  std::vector<EditedFunction> functions;
  std::vector<std::string> held;               ///< new functions and variables that the program may hold
  std::map<std::string, std::string> news;     ///< new classes and variables, with their make-up
  EditedClassList classes;                     ///< that have another layout than in the program's file
  std::vector<const NewVariable*> beginnings;  ///< new variables that code initialises, in order
  EditOrigin origin;                           ///< what it was made from
  std::string build_id;                        ///< of its file
  EditBase base;                               ///< that it was built to go on from
  std::vector<ResetVariable> resets;           ///< that get their new initial values
  bool is_permanent = false;                   ///< what the program may hold calls functions that are replaced

  bool covers(const std::string& source) const { return std::ranges::find(sources, source) != sources.end(); }
};

/// `header` is the EditHeader of a loaded file. Throws Error (not_an_update): the tables are damaged, or of another
/// version of moult.
Edit read_edit(const void* header);

}  // namespace moult::internal
