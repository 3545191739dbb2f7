#include "elf/update_notes.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <gmock/gmock.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "elf/module_list.hpp"
#include "fixtures.hpp"
#include "moult/error.hpp"
#include "moult/load.hpp"
#include "symbols/program.hpp"

namespace moult::internal {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

void expect_refused(const std::string& path, ErrorCode code, const std::string& why) {
  try {
    read_update_notes(path);
    FAIL() << path << " was taken for an update";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), AllOf(HasSubstr(path), HasSubstr(why)));
  }
}

TEST(UpdateNotes, SayForWhichMoultAndWhichProgramTheUpdateIs) {
  const UpdateNotes notes = read_update_notes(fixture("update.so"));
  EXPECT_EQ(notes.abi, std::optional<std::uint32_t>(MOULT_ABI_VERSION));
  EXPECT_EQ(notes.target_build_id, "deadbeef01");
}

TEST(UpdateNotes, WhatIsNoFileIsUnreadable) {
  const ScratchFolder folder;
  write(folder.file("empty.so"), "");
  expect_refused(folder.file("missing.so"), ErrorCode::unreadable, "No such file");
  expect_refused(folder.file(""), ErrorCode::unreadable, "directory");
  expect_refused(folder.file("empty.so"), ErrorCode::unreadable, "empty");
  expect_refused("/dev/null", ErrorCode::unreadable, "no regular file");
}

TEST(UpdateNotes, WhatIsNoSharedObjectIsNoUpdate) {
  const ScratchFolder folder;
  write(folder.file("text.so"), "hello, I am a text\n");
  write(folder.file("two.so"),
        "\x7f"
        "E");
  expect_refused(folder.file("text.so"), ErrorCode::not_an_update, "no ELF file");
  expect_refused(folder.file("two.so"), ErrorCode::not_an_update, "no ELF file");
  expect_refused(fixture("program_pie"), ErrorCode::not_an_update, "executable");
  expect_refused(fixture("program_fixed"), ErrorCode::not_an_update, "executable");
  expect_refused(fixture("update.o"), ErrorCode::not_an_update, "not linked");
}

TEST(UpdateNotes, AnotherMachinesFileIsNoUpdate) {
  const ScratchFolder folder;
  std::string content = content_of(fixture("update.so"));
  content[4] = 1;  // 32 bits
  write(folder.file("narrow.so"), content);
  content = content_of(fixture("update.so"));
  content[18] = static_cast<char>(183);  // AArch64
  write(folder.file("arm.so"), content);
  expect_refused(folder.file("narrow.so"), ErrorCode::not_an_update, "another machine");
  expect_refused(folder.file("arm.so"), ErrorCode::not_an_update, "another machine");
}

TEST(UpdateNotes, ASharedObjectWithoutAnEntryIsNoUpdate) {
  expect_refused(fixture("no_entry.so"), ErrorCode::not_an_update, "moult_update_entry");
}

TEST(UpdateNotes, AHalfWrittenFileIsRefusedWhereverItEnds) {
  const ScratchFolder folder;
  const std::string path = folder.file("half.so");
  const std::string content = content_of(fixture("update.so"));
  ASSERT_GT(content.size(), 10000U);
  for (std::size_t size = 4; size < content.size(); size += 97) {
    write(path, std::string_view(content).substr(0, size));
    expect_refused(path, ErrorCode::unreadable, "cut short");
  }
}

/// Where the note with that owner, type and size of content begins.
std::size_t note_in(const std::string& content, std::string_view owner, std::uint32_t type, std::uint32_t size) {
  const Elf64_Nhdr header{static_cast<std::uint32_t>(owner.size()), size, type};
  std::string bytes(sizeof header, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  return content.find(bytes.append(owner));
}

constexpr std::string_view moult_owner("moult\0", 6);

TEST(UpdateNotes, ADamagedNoteIsARefusalAndNotNoNote) {
  const ScratchFolder folder;
  const std::string path = folder.file("damaged.so");
  const std::string content = content_of(fixture("update.so"));
  const std::size_t target = note_in(content, moult_owner, 2, 5);
  ASSERT_NE(target, std::string::npos);
  const auto refuse = [&](std::size_t at, std::string_view bytes, const std::string& why) {
    write(path, std::string(content).replace(at, bytes.size(), bytes));
    expect_refused(path, ErrorCode::not_an_update, why);
  };
  refuse(target + 4, std::string_view("\xff\xff\xff\x7f", 4), "a note ends outside of its segment");
  refuse(note_in(content, moult_owner, 1, 4) + 8, "\x02", "the program that it is for");
  refuse(target + 8, "\x07", "an unknown type");
  refuse(target + 8, "\x01", "the binary interface");
  refuse(target + 12, "n", ".note.moult.target holds no such note");
}

TEST(UpdateNotes, AChecksumTellsAnyOtherFileFromTheOneThatWasLinked) {
  const ScratchFolder folder;
  const std::string path = folder.file("update.so");
  write(path, content_of(fixture("update.so")));
  ASSERT_FALSE(read_update_notes(path).checksum.value().is_written());
  write_checksum(path);
  const std::string content = content_of(path);
  EXPECT_TRUE(read_update_notes(path).checksum.value().is_written());
  write_checksum(path);
  EXPECT_EQ(content_of(path), content) << "written again, it is the same";

  std::string changed = content;
  changed.back() ^= 1;
  write(path, changed);
  expect_refused(path, ErrorCode::unreadable, "is damaged");
  write(path, content + "more");
  expect_refused(path, ErrorCode::unreadable, "had " + std::to_string(content.size()));
  write_checksum(path);
  EXPECT_NO_THROW(read_update_notes(path));
}

TEST(UpdateNotes, AFileWithoutRoomForAChecksumIsLeftAsItIs) {
  const ScratchFolder folder;
  const std::string path = folder.file("library.so");
  const std::string content = content_of(fixture("with_id.so"));
  write(path, content);
  try {
    write_checksum(path);
    FAIL() << "it was written";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_an_update);
    EXPECT_THAT(error.what(), AllOf(HasSubstr(path), HasSubstr(".note.moult.checksum")));
  }
  EXPECT_EQ(content_of(path), content);
}

/// A copy of the fixture with one field of a header changed.
class Damaged final {
 public:
  Damaged() : content_(content_of(fixture("update.so"))) {}

  Elf64_Ehdr& header() { return *reinterpret_cast<Elf64_Ehdr*>(content_.data()); }
  Elf64_Phdr& segment(std::uint32_t type) {
    auto* each = reinterpret_cast<Elf64_Phdr*>(content_.data() + header().e_phoff);
    while (each->p_type != type) ++each;
    return *each;
  }
  Elf64_Shdr& section(std::uint32_t type) {
    auto* each = reinterpret_cast<Elf64_Shdr*>(content_.data() + header().e_shoff);
    while (each->sh_type != type) ++each;
    return *each;
  }
  template <class T>
  T& at(std::uint64_t offset) {
    return *reinterpret_cast<T*>(content_.data() + offset);
  }
  Elf64_Dyn& dynamic(std::int64_t tag) {
    auto* each = &at<Elf64_Dyn>(segment(PT_DYNAMIC).p_offset);
    while (each->d_tag != tag) ++each;
    return *each;
  }
  void expect_refused(const std::string& why, ErrorCode code = ErrorCode::not_an_update) {
    const ScratchFolder folder;
    write(folder.file("damaged.so"), content_);
    internal::expect_refused(folder.file("damaged.so"), code, why);
  }

 private:
  std::string content_;
};

#define EXPECT_REFUSED(why, change) \
  do {                              \
    SCOPED_TRACE(#change);          \
    Damaged file;                   \
    change;                         \
    file.expect_refused(why);       \
  } while (false)

TEST(UpdateStructure, HeadersThatContradictTheFileAreRefused) {
  EXPECT_REFUSED("more program headers", file.header().e_phnum = PN_XNUM);
  EXPECT_REFUSED("no table of names", file.header().e_shstrndx = 500);
  EXPECT_REFUSED("something else", file.header().e_shstrndx = 1);
  Damaged extended;
  extended.header().e_shnum = 0;  // the number is in the first section
  extended.section(SHT_NULL).sh_size = ~std::uint64_t{0};
  extended.expect_refused("a section header", ErrorCode::unreadable);
}

TEST(UpdateStructure, SegmentsThatContradictEachOtherAreRefused) {
  EXPECT_REFUSED("aligned to pages", file.segment(PT_LOAD).p_align = 3);
  EXPECT_REFUSED("impossible size", file.segment(PT_LOAD).p_memsz = 1);
  EXPECT_REFUSED("impossible size", file.segment(PT_LOAD).p_memsz = ~std::uint64_t{0});
  EXPECT_REFUSED("overlap", file.segment(PT_LOAD).p_vaddr += 1U << 30);
  EXPECT_REFUSED("not part of a loaded one", file.segment(PT_NOTE).p_vaddr += 1U << 30);
  EXPECT_REFUSED("impossible size", file.segment(PT_NOTE).p_memsz = 1U << 30);
  EXPECT_REFUSED("read-only", file.segment(PT_GNU_RELRO).p_vaddr += 1U << 30);
  EXPECT_REFUSED("no dynamic section", file.segment(PT_DYNAMIC).p_type = PT_NULL);
  Damaged longer;
  longer.segment(PT_LOAD).p_filesz = longer.segment(PT_LOAD).p_memsz = 1U << 30;
  longer.expect_refused("a segment lies beyond the end of the file", ErrorCode::unreadable);
}

TEST(UpdateStructure, TablesOfTheDynamicLinkerStayInsideOfTheFile) {
  EXPECT_REFUSED("table of names", file.dynamic(DT_STRTAB).d_un.d_val += 1U << 30);
  EXPECT_REFUSED("table of names", file.dynamic(DT_STRSZ).d_un.d_val = 1U << 30);
  EXPECT_REFUSED("symbols", file.dynamic(DT_SYMTAB).d_un.d_val += 1U << 30);
  EXPECT_REFUSED("leads out of it", file.dynamic(DT_INIT).d_un.d_val += 1U << 30);
  EXPECT_REFUSED("leads out of it", file.dynamic(DT_INIT_ARRAYSZ).d_un.d_val = 1U << 30);
  EXPECT_REFUSED("relocations", file.dynamic(DT_RELASZ).d_un.d_val = 1U << 30);
  EXPECT_REFUSED("hash table", file.dynamic(DT_GNU_HASH).d_un.d_val += 1U << 30);
  EXPECT_REFUSED("hash table", file.at<std::uint32_t>(file.section(SHT_GNU_HASH).sh_offset) = 0);
  EXPECT_REFUSED("write outside", file.at<Elf64_Rela>(file.section(SHT_RELA).sh_offset).r_offset = 1U << 30);
  EXPECT_REFUSED("does not have",
                 file.at<Elf64_Rela>(file.section(SHT_RELA).sh_offset).r_info = ELF64_R_INFO(9999, R_X86_64_64));
}

TEST(UpdateStructure, SectionsNamesAndSymbolsStayInsideOfTheFile) {
  EXPECT_REFUSED("outside of the loaded segments", file.section(SHT_PROGBITS).sh_addr = 1U << 30);
  EXPECT_REFUSED("impossible form", file.section(SHT_DYNSYM).sh_link = 999);
  EXPECT_REFUSED("impossible form", file.section(SHT_SYMTAB).sh_entsize = 0);
  EXPECT_REFUSED("has no end", --file.section(SHT_STRTAB).sh_size);
  EXPECT_REFUSED("a name is not in its table", file.section(SHT_PROGBITS).sh_name = 1U << 30);
  const auto last_symbol = [](Damaged& file) -> Elf64_Sym& {
    const Elf64_Shdr& table = file.section(SHT_DYNSYM);
    return file.at<Elf64_Sym>(table.sh_offset + table.sh_size - sizeof(Elf64_Sym));
  };
  EXPECT_REFUSED("a name is not in its table", last_symbol(file).st_name = 1U << 30);
  EXPECT_REFUSED("a symbol lies outside", last_symbol(file).st_value = 1U << 30);
  EXPECT_REFUSED("a symbol is in a section", last_symbol(file).st_shndx = 999);
}

TEST(LoadedModules, AreReadThoughTheNotesOfOneClaimMoreThanItHas) {
  const ScratchFolder folder;
  std::string content = content_of(fixture("with_id.so"));
  const std::size_t at = note_in(content, std::string_view("GNU\0", 4), NT_GNU_BUILD_ID, 8);
  ASSERT_NE(at, std::string::npos);
  content.replace(at + 4, 4, std::string_view("\xff\xff\xff\x7f", 4));
  write(folder.file("claims.so"), content);
  void* const library = ::dlopen(folder.file("claims.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << ::dlerror();
  std::string id = "no such module";
  for (const ModulePlace& place : modules_of_this_process())
    if (place.module.path == folder.file("claims.so")) id = place.loaded_build_id;
  EXPECT_EQ(id, "");
  ::dlclose(library);
}

TEST(UpdateNotes, GarbageNeverDoesMoreThanThrow) {
  const ScratchFolder folder;
  const std::string path = folder.file("garbage.so");
  const std::string content = content_of(fixture("update.so"));
  std::mt19937 random(20240229);  // NOLINT: the same garbage each time
  int refused = 0;
  for (int round = 0; round < 500; ++round) {
    std::string garbage = content;
    // The headers at both ends are where a wrong byte leads astray.
    for (int flips = 0; flips < 8; ++flips) {
      const std::size_t at = round % 2 == 0 ? random() % 4096 : garbage.size() - 1 - random() % 2048;
      garbage[at] = static_cast<char>(random());
    }
    write(path, garbage);
    try {
      read_update_notes(path);
    } catch (const Error& error) {
      ++refused;
      EXPECT_THAT(error.code(), testing::AnyOf(ErrorCode::unreadable, ErrorCode::not_an_update));
    }
    try {
      const Program program = Program::of_file(path);
      program.find("moult_update_entry");
      program.at(CodeAddress{0x1100});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unreadable);
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace moult::internal
