#include "elf/update_notes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "elf/notes.hpp"
#include "elf/update_structure.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

constexpr std::string_view note_owner("moult\0", 6);  // notes count the zero
constexpr std::string_view section_prefix = ".note.moult.";

enum NoteType : std::uint32_t { abi_note = 1, target_note = 2, checksum_note = 3 };

constexpr std::size_t longest_build_id = 64;

/// Notes twice, or of an unexpected size, are damaged ones: this moult would misread them.
void add(const FileBytes& file, const Note& note, std::uint64_t place, UpdateNotes& notes) {
  const std::string_view content = note.content;
  const auto require = [&](bool holds, const char* what) {
    if (!holds) throw_damaged(file.path(), std::string("its note of ") + what + " cannot be read");
  };
  switch (note.type) {
    case abi_note:
      require(!notes.abi && content.size() == sizeof(std::uint32_t), "the binary interface");
      std::memcpy(&notes.abi.emplace(), content.data(), sizeof(std::uint32_t));
      break;
    case target_note:
      require(notes.target_build_id.empty() && !content.empty() && content.size() <= longest_build_id,
              "the program that it is for");
      notes.target_build_id = to_hex(content);
      break;
    case checksum_note: {
      require(!notes.checksum && content.size() == ChecksumNote::size, "its checksum");
      ChecksumNote& found = notes.checksum.emplace();
      found.place = place;
      std::memcpy(&found.file_size, content.data(), sizeof found.file_size);
      std::memcpy(&found.checksum, content.data() + sizeof found.file_size, sizeof found.checksum);
      break;
    }
    default: require(false, "an unknown type");
  }
}

/// A note whose owner or type is damaged would otherwise be none at all.
void require_note_of(const FileBytes& file, const std::string& section, const UpdateNotes& notes) {
  if (!section.starts_with(section_prefix)) return;
  const std::string_view kind = std::string_view(section).substr(section_prefix.size());
  const bool is_there = (kind == "abi" && notes.abi) || (kind == "target" && !notes.target_build_id.empty()) ||
                        (kind == "checksum" && notes.checksum);
  if (!is_there) throw_damaged(file.path(), "its section " + section + " holds no such note");
}

/// The notes of a file whose structure was checked.
UpdateNotes notes_of(const FileBytes& file, const UpdateStructure& structure) {
  UpdateNotes notes;
  for (const Elf64_Phdr& segment : structure.segments) {
    if (segment.p_type != PT_NOTE) continue;
    const std::string bytes = file.read(segment.p_offset, segment.p_filesz, "its notes");
    const NoteTable table = read_notes(bytes, segment.p_align);
    if (table.is_damaged) throw_damaged(file.path(), "a note ends outside of its segment");
    for (const Note& note : table.notes) {
      const auto inside = static_cast<std::uint64_t>(note.content.data() - bytes.data());
      if (note.owner == note_owner) add(file, note, segment.p_offset + inside, notes);
    }
  }
  for (const std::string& section : structure.section_names) require_note_of(file, section, notes);
  return notes;
}

[[noreturn]] void fail(ErrorCode code, const std::string& path, const std::string& why) {
  throw Error(code, path + ": " + why);
}

}  // namespace

UpdateNotes read_update_notes(const std::string& path) {
  const FileBytes file(path);
  const UpdateStructure structure = require_update_structure(file);
  UpdateNotes notes = notes_of(file, structure);
  if (notes.checksum && notes.checksum->is_written()) require_checksum(file, *notes.checksum);
  if (!structure.has_entry) throw_not_an_update(path, "it does not export moult_update_entry");
  return notes;
}

void write_checksum(const std::string& path) {
  const FileBytes file(path);
  const std::optional<ChecksumNote> note = notes_of(file, require_update_structure(file)).checksum;
  if (!note)
    fail(ErrorCode::not_an_update, path,
         "has no note for a checksum (.note.moult.checksum); build it with moult_update() or moult build, or link the "
         "note of docs/protocol.md into it");
  std::array<char, ChecksumNote::size> content{};
  const std::uint64_t size = file.size();
  const std::uint32_t checksum = checksum_of(file, note->place);
  std::memcpy(content.data(), &size, sizeof size);
  std::memcpy(content.data() + sizeof size, &checksum, sizeof checksum);
  const Fd output(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const bool is_denied = !output && (errno == EACCES || errno == EPERM || errno == EROFS);
  if (!output || ::pwrite(output.get(), content.data(), content.size(), static_cast<off_t>(note->place)) !=
                     static_cast<ssize_t>(content.size()))
    fail(is_denied ? ErrorCode::permission_denied : ErrorCode::system, path,
         std::string("its checksum cannot be written: ") + std::strerror(errno));
}

}  // namespace moult::internal
