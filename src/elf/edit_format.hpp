// The tables of an update that was made from edited sources. The command writes them, and the program reads them before
// it loads the update.
//
// Such an update holds code that uses the program's functions and variables directly, as the program's own code does:
// by distance. Which bytes these uses are, and what they lead to in the program's file, is in the first table. The
// second one has the functions of the program that get a new version.
// Variables that are new with an edit are noted, too: a later edit of the same sources goes on with their values.
//   section          contents
//   moult_fields     FieldEntry: filled in before the update is loaded
//   moult_functions  FunctionEntry
//   moult_variables  VariableEntry
//   moult_sources    the names of the sources that were compared, each with a zero at its end
//   moult_classes    moult::detail::EditedClass: whose objects get another layout
//   moult_beginnings moult::detail::NewVariable: new variables that code initialises
// The header has more lists of such texts: what the program may hold from then on, what the edit brings, each with its
// make-up, the name and the checksum of a patch, and the update that the edit was built to go on from. The patch itself
// is in a section that is not loaded.
#pragma once

#include <cstdint>

namespace moult::internal {

enum class FieldKind : std::uint32_t {
  address = 1,             ///< 8 bytes: target and addend
  distance = 2,            ///< 4 bytes: the same, from the field
  thread_offset = 3,       ///< 4 bytes: what is added to %fs
  wide_thread_offset = 4,  ///< 8 bytes, likewise
  variable_address = 5,    ///< as `address`, of a new variable: of an earlier edit, or else of the update itself
  variable_distance = 6,   ///< as `distance`, likewise
};

struct FieldEntry {
  std::int32_t place = 0;  ///< from this number to the field
  FieldKind kind = FieldKind::address;
  /// An address of the program's file, or what is added to %fs, or how far a new variable is from this number.
  std::uint64_t target = 0;
  std::int64_t addend = 0;
};

/// A new variable.
struct VariableEntry {
  std::int64_t place = 0;  ///< from this number to the variable
  std::uint64_t size = 0;
  std::int32_t name = 0;  ///< from this number to the name, with the source's for a static one, and a zero at its end
  std::uint32_t unused = 0;
};

enum class FunctionPart : std::uint32_t {
  entry = 1,  ///< of a function that is replaced; its other parts follow
  more = 2,   ///< of the same function, old or new: code that the compiler moved away
  left = 3,   ///< a function that nothing calls any more when the update is applied: no call may be in progress
  fresh = 4,  ///< of new functions, which replaced ones call
};

struct FunctionEntry {
  std::uint64_t begin = 0;      ///< of the old code, in the program's file
  std::uint64_t size = 0;       ///< 0: none
  std::int32_t code = 0;        ///< from this number to the new code
  std::uint32_t code_size = 0;  ///< 0: none
  std::int32_t name = 0;        ///< from this number to the name, which ends with a zero
  FunctionPart part = FunctionPart::entry;
  std::int32_t source = 0;  ///< from this number to the name of its source, likewise
  std::uint32_t unused = 0;
};

/// A variable of the program that begins anew when the update is applied.
struct ResetEntry {
  std::uint64_t target = 0;  ///< an address of the program's file
  std::uint64_t size = 0;
  std::int32_t value = 0;  ///< from this number to the bytes
  std::int32_t name = 0;   ///< from this number to the name, which ends with a zero
};

inline constexpr const char* fields_section = "moult_fields";
inline constexpr const char* functions_section = "moult_functions";
inline constexpr const char* variables_section = "moult_variables";
inline constexpr const char* sources_section = "moult_sources";
inline constexpr const char* classes_section = "moult_classes";
inline constexpr const char* beginnings_section = "moult_beginnings";

/// Where the update's entry finds the rest, in memory.
struct EditHeader {
  std::uint32_t version = 0;       ///< edit_version
  std::int32_t functions = 0;      ///< from this number to the first FunctionEntry
  std::int32_t functions_end = 0;  ///< from this number to the end of the last one
  std::int32_t name = 0;           ///< from this number to the update's name, which ends with a zero
  std::int32_t sources = 0;        ///< from this number to the first source's name
  std::int32_t sources_end = 0;    ///< from this number to the end of the last one
  std::int32_t held = 0;           ///< new functions and variables that the program may hold, likewise
  std::int32_t held_end = 0;
  std::int32_t news = 0;  ///< new classes and variables, each followed by its make-up
  std::int32_t news_end = 0;
  std::uint32_t is_permanent = 0;   ///< 1: what the program may hold calls functions that are replaced
  std::int32_t classes = 0;         ///< from this number to the first EditedClass
  std::int32_t classes_end = 0;     ///< from this number to the end of the last one
  std::int32_t beginnings = 0;      ///< from this number to the first NewVariable
  std::int32_t beginnings_end = 0;  ///< from this number to the end of the last one
  std::int32_t patch = 0;           ///< the patch that the edit is: its name and the SHA-256 of its text; or nothing
  std::int32_t patch_end = 0;
  std::int32_t base = 0;  ///< the update that it goes on from: the name of its file and its build id; or nothing
  std::int32_t base_end = 0;
  std::int32_t resets = 0;  ///< from this number to the first ResetEntry
  std::int32_t resets_end = 0;
  std::int32_t tree = 0;  ///< of the sources: when the last one was written (seconds since 1970), how many are edited
  std::int32_t tree_end = 0;
};
inline constexpr std::uint32_t edit_version = 6;

/// The text of the patch, in the file alone.
inline constexpr const char* patch_section = ".moult.patch";

/// In the ELF header's e_flags of an update that is to be loaded where its segments say. Its sections, symbols and
/// debug information have other addresses: as if the first segment began at 0.
inline constexpr std::uint32_t placed_flag = 0x4D4F554C;

}  // namespace moult::internal
