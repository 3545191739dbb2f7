#include "earlier_edit.hpp"

#include "elf/edit_format.hpp"
#include "elf/update_notes.hpp"
#include "failure.hpp"
#include "process_state.hpp"

namespace moult::internal::cli {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw CommandFailure(ExitCode::refused, ErrorCode::not_an_update, "--after " + path + ": " + why);
}

UpdateNotes notes_of(const std::string& path) {
  try {
    return read_update_notes(path);
  } catch (const Error& error) {
    refuse(path, std::string("is no update that moult build has made of edits: ") + error.what());
  }
}

}  // namespace

EarlierEdit::EarlierEdit(const std::string& path, const ProgramBuild& program) : name_(base_name(path)) {
  const UpdateNotes notes = notes_of(path);
  file_ = std::make_unique<ElfFile>(ElfFile::open(path));
  if (file_->section(sources_section) == nullptr)
    refuse(path, "is an update, but not one of edits; name the file that moult build made of them");
  const std::string wanted = build_id_of(program.file());
  if (notes.target_build_id != wanted)
    refuse(path, "was made of edits of another build (" + notes.target_build_id + ") than " +
                     base_name(program.program()) + " (" + wanted + "), so no process of this one has it");
  debug_info_ = DebugInfo::open(*file_);
  if (debug_info_ == nullptr && !file_->section_bytes(classes_section).empty())
    refuse(path,
           "has no debug information, so that the layouts of objects that it gives are not known; name the file as it "
           "was built");
  build_id_ = file_->build_id();
}

std::optional<EarlierEdit> earlier_edit(const ComparisonOptions& options, const ProgramBuild& program) {
  if (options.after.empty()) return std::nullopt;
  return std::optional<EarlierEdit>(std::in_place, options.after, program);
}

}  // namespace moult::internal::cli
