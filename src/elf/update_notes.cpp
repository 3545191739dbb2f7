// An update may be copied into place while it is read, may be half written, or may be no update at all. The reading
// program must survive all of that. So nothing here uses a mapping of the file, and each offset in the file is checked
// against the file's length before it is used.
#include "elf/update_notes.hpp"

#include <elf.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <vector>

#include "elf/elf_file.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

constexpr std::string_view note_owner("moult\0", 6);  // notes count the zero
constexpr std::uint32_t abi_note = 1;
constexpr std::uint32_t target_note = 2;
constexpr const char* entry_name = "moult_update_entry";
constexpr const char* rebuild = "; link it as a shared object from a file with MOULT_UPDATE { ... }";

[[noreturn]] void throw_not_an_update(const std::string& path, const std::string& why) {
  throw Error(ErrorCode::not_an_update, path + ": is not an update: " + why + rebuild);
}

[[noreturn]] void throw_cut_short(const std::string& path, const char* what) {
  throw_unreadable(path, std::string("is cut short: ") + what +
                             " lies beyond the end of the file; was it still being written? Copy it elsewhere and "
                             "rename it into place");
}

std::vector<char> read_file(const std::string& path) {
  std::error_code failure;
  const std::filesystem::file_status status = std::filesystem::status(path, failure);
  if (status.type() == std::filesystem::file_type::not_found) throw_unreadable(path, "there is no such file");
  if (failure) throw_unreadable(path, "cannot be looked at: " + failure.message());
  if (std::filesystem::is_directory(status)) throw_unreadable(path, "is a directory, not an update");
  if (!std::filesystem::is_regular_file(status)) throw_unreadable(path, "is no regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw_unreadable(path, std::string("cannot be opened: ") + std::strerror(errno));
  std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) throw_unreadable(path, "an error occurred while it was read");
  if (bytes.empty()) throw_unreadable(path, "is empty");
  return bytes;
}

/// A file's bytes. Only bytes inside the file can be read.
class Image final {
 public:
  Image(const std::string& path, std::vector<char> bytes) : path_(path), bytes_(std::move(bytes)) {}

  std::string_view text() const noexcept { return {bytes_.data(), bytes_.size()}; }

  std::string_view bytes(std::uint64_t offset, std::uint64_t size, const char* what) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) throw_cut_short(path_, what);
    return text().substr(offset, size);
  }

  template <class T>
  T read(std::uint64_t offset, const char* what) const {
    T read_value{};
    std::memcpy(&read_value, bytes(offset, sizeof(T), what).data(), sizeof(T));
    return read_value;
  }

  template <class T>
  std::vector<T> table(std::uint64_t offset, std::uint64_t size, const char* what) const {
    const std::string_view source = bytes(offset, size, what);
    std::vector<T> entries(source.size() / sizeof(T));
    std::memcpy(entries.data(), source.data(), entries.size() * sizeof(T));
    return entries;
  }

 private:
  const std::string& path_;
  std::vector<char> bytes_;
};

void require_shared_object(const std::string& path, const Elf64_Ehdr& header) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64) {
    throw_not_an_update(path, "it was built for another machine than 64-bit x86-64");
  }
  if (header.e_type == ET_REL) throw_not_an_update(path, "it is an object file that was not linked");
  if (header.e_type != ET_DYN) throw_not_an_update(path, "it is an executable or a core file, not a shared object");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_shentsize != sizeof(Elf64_Shdr)) {
    throw_not_an_update(path, "its headers have an unknown size");
  }
}

/// Position-independent programs are shared objects too, except for this flag.
void require_no_program(const std::string& path, const Image& image, const std::vector<Elf64_Phdr>& segments) {
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_DYNAMIC) continue;
    for (const Elf64_Dyn& entry : image.table<Elf64_Dyn>(segment.p_offset, segment.p_filesz, "its dynamic section")) {
      if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE) != 0) {
        throw_not_an_update(path, "it is an executable, not a shared object");
      }
    }
  }
}

void read_notes(std::string_view bytes, std::uint64_t alignment, UpdateNotes& notes) {
  const std::uint64_t unit = alignment == 8 ? 8 : 4;
  const auto rounded = [unit](std::uint64_t size) { return (size + unit - 1) & ~(unit - 1); };
  while (bytes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::uint64_t descriptor = rounded(sizeof header + header.n_namesz);
    const std::uint64_t end = descriptor + header.n_descsz;
    if (end > bytes.size()) return;
    const std::string_view content = bytes.substr(descriptor, header.n_descsz);
    if (bytes.substr(sizeof header, header.n_namesz) == note_owner) {
      if (header.n_type == abi_note && content.size() == sizeof(std::uint32_t)) {
        std::memcpy(&notes.abi.emplace(), content.data(), sizeof(std::uint32_t));
      }
      if (header.n_type == target_note) notes.target_build_id = to_hex(content.data(), content.size());
    }
    bytes.remove_prefix(std::min<std::uint64_t>(rounded(end), bytes.size()));
  }
}

bool exports_entry(const Image& image, const std::vector<Elf64_Shdr>& sections) {
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_DYNSYM || section.sh_link >= sections.size()) continue;
    const Elf64_Shdr& link = sections[section.sh_link];
    const std::string_view names = image.bytes(link.sh_offset, link.sh_size, "its table of names");
    for (const Elf64_Sym& symbol : image.table<Elf64_Sym>(section.sh_offset, section.sh_size, "its symbol table")) {
      if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) != STT_FUNC) continue;
      if (symbol.st_name >= names.size()) continue;
      const std::string_view name = names.substr(symbol.st_name);
      if (name.substr(0, name.find('\0')) == entry_name) return true;
    }
  }
  return false;
}

}  // namespace

UpdateNotes read_update_notes(const std::string& path) {
  const Image image(path, read_file(path));
  const std::string_view magic = image.text().substr(0, SELFMAG);
  if (magic != std::string_view(ELFMAG, SELFMAG).substr(0, magic.size()) || magic.size() < SELFMAG) {
    throw_not_an_update(path, "it is no ELF file");
  }
  const Elf64_Ehdr header = image.read<Elf64_Ehdr>(0, "its header");
  require_shared_object(path, header);
  const std::vector<Elf64_Phdr> segments =
      image.table<Elf64_Phdr>(header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr), "a program header");
  const std::vector<Elf64_Shdr> sections =
      image.table<Elf64_Shdr>(header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr), "a section header");
  for (const Elf64_Phdr& segment : segments) image.bytes(segment.p_offset, segment.p_filesz, "a segment");
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_NOBITS) image.bytes(section.sh_offset, section.sh_size, "a section");
  }
  require_no_program(path, image, segments);

  UpdateNotes notes;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_NOTE) continue;
    read_notes(image.bytes(segment.p_offset, segment.p_filesz, "its notes"), segment.p_align, notes);
  }
  notes.has_entry = exports_entry(image, sections);
  if (!notes.has_entry) throw_not_an_update(path, std::string("it does not export ") + entry_name);
  return notes;
}

}  // namespace moult::internal
