// An ELF file, open in libelf.
#pragma once

#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/fd.hpp"
#include "elf/reader_memory.hpp"

namespace moult::internal {

/// Ends a handle of libelf. Leaves one that was open when an allocation of a reader failed: the exception may have left
/// libelf's locks taken, and elf_end would wait for them for ever.
struct ElfEnd {
  std::uint64_t failed_before = failed_reader_allocations();
  void operator()(Elf* elf) const noexcept {
    if (failed_reader_allocations() == failed_before) elf_end(elf);
  }
};
using ElfHandle = std::unique_ptr<Elf, ElfEnd>;

/// Owns libelf's mapping of the file, and its descriptor while the file has debug information. Names and section data
/// from libelf live as long.
class ElfFile final {
 public:
  /// `shown` is the path for messages if it differs from the path to open (in /proc). Throws Error (unreadable)
  /// if there is no such file or it is no 64-bit x86-64 ELF file.
  static ElfFile open(const std::string& path, const std::string& shown);
  static ElfFile open(const std::string& path) { return open(path, path); }
  /// Reads a copy of an image in memory: the vdso. Throws Error (unreadable).
  static ElfFile of_image(std::vector<char> image, const std::string& shown);

  ~ElfFile();
  ElfFile(ElfFile&&) noexcept = default;
  ElfFile& operator=(ElfFile&&) noexcept = default;

  Elf* handle() const noexcept { return elf_.get(); }
  const std::string& path() const noexcept { return shown_; }
  /// The whole file.
  std::string_view bytes() const;

  /// The first section of that name or type, or null.
  Elf_Scn* section(const char* name) const;
  Elf_Scn* section_of_type(std::uint32_t type) const;
  /// The section's bytes as they are in the file, or null if it has none.
  Elf_Data* data(Elf_Scn* section) const;

  /// The bytes of the first section of that name, or nothing if it has none.
  std::string_view section_bytes(const char* name) const;

  /// The GNU build id in hex; empty if the file has none.
  std::string build_id() const;
  /// The sections of code, by address.
  std::vector<CodeRange> code_sections() const;
  /// The addresses in the file of the first loaded byte and of the end of the last one. Equal if nothing is loaded.
  CodeRange loaded_range() const;
  /// The address in the file of the loaded byte at `offset` of the file.
  std::optional<std::uint64_t> address_of_offset(std::uint64_t offset) const;

 private:
  ElfFile(std::string shown, Fd fd, std::vector<char> image) noexcept;
  void require_x86_64() const;
  void give_descriptor_back();

  // The order matters: the handle is destroyed before the data that it reads.
  std::string shown_;
  Fd fd_;
  std::vector<char> image_;
  ElfHandle elf_;
};

/// How far the segments' addresses are from those of sections and symbols: not 0 for an update that moult has placed
/// (elf/edit_format.hpp).
std::uint64_t placement_of(Elf* elf);

/// The range of `ranges` that holds `address`, or null. `ranges` is sorted and without overlaps.
const CodeRange* range_at(const std::vector<CodeRange>& ranges, std::uint64_t address);

[[noreturn]] void throw_unreadable(const std::string& path, const std::string& why);

/// The GNU build id of a file in hex; empty if it has none. Throws Error (unreadable).
std::string build_id_of(const std::string& path);

}  // namespace moult::internal
