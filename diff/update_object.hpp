// Makes the object of an edited source into one that can be linked to an update.
#pragma once

#include <map>
#include <string>

#include "diff/edit_plan.hpp"
#include "diff/object_file.hpp"

namespace moult::internal::diff {

/// Writes `output`, a copy of the file at `path`, from which `object` was read. In it, what the update does not need is
/// left out of the link, what leads to the program is taken from the linker and noted in a table (elf/edit_format.hpp),
/// and nothing is visible outside of the update. `source` is the name of its source for these tables, and `types` the
/// types of variables, by their last names. Throws Error: unsupported, system.
void write_update_object(const std::string& path, const ObjectFile& object, const EditPlan& plan,
                         const std::string& source, const std::map<std::string, std::string>& types,
                         const std::string& output);

}  // namespace moult::internal::diff
