// The bytes of a segment of notes. The first byte chooses the alignment.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "elf/notes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moult::internal;
  if (size == 0) return 0;
  constexpr std::uint64_t alignments[] = {0, 1, 4, 8, 16, ~std::uint64_t{0}};
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const NoteTable table = read_notes(bytes, alignments[data[0] % std::size(alignments)]);
  std::size_t read = 0;
  for (const Note& note : table.notes) {
    read += note.owner.size() + note.content.size();
    for (const std::string_view part : {note.owner, note.content})
      if (!part.empty() && (part.data() < bytes.data() || part.data() + part.size() > bytes.data() + bytes.size()))
        std::abort();
  }
  if (read > bytes.size()) std::abort();
  static_cast<void>(build_id_among(table));
  return 0;
}
