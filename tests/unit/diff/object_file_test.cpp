// Objects are read whatever they hold: a compiler made them, but a disk may be full.
#include "diff/object_file.hpp"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "../symbols/fixtures.hpp"
#include "diff/file_comparison.hpp"
#include "image.hpp"
#include "moult/error.hpp"

namespace moult::internal::diff {
namespace {

using testing::HasSubstr;

std::string objection_to(const std::string& path) {
  try {
    const ElfFile file = ElfFile::open(path);
    const ObjectFile object(file);
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

/// Whether reading and comparing end with an Error or without one; anything else ends the test.
void compare_damaged(const std::vector<char>& image, const LinkedFile& program) {
  try {
    const ElfFile file = ElfFile::of_image(image, "damaged.o");
    const ObjectFile object(file);
    compare(object, program, nullptr);
  } catch (const Error&) {
    return;
  }
}

TEST(ObjectFile, KnowsItsSourceAndItsFunctions) {
  MOULT_NEEDS_FIXTURE("gcc_O2.app.o");
  const ElfFile file = ElfFile::open(fixture("gcc_O2.app.o"));
  const ObjectFile object(file);
  EXPECT_EQ(object.source(), "app.cpp");
  std::vector<std::string> names;
  for (const ObjectFunction& function : object.functions())
    for (const std::size_t symbol : function.symbols) names.emplace_back(object.symbols()[symbol].name);
  EXPECT_THAT(names, testing::IsSupersetOf({"_ZN3app10multipliedEi", "_ZN3appL9same_nameEi", "main"}));
  EXPECT_THAT(names, testing::Not(testing::Contains(HasSubstr(".cold"))));
}

TEST(ObjectFile, ColdPartsBelongToTheirFunctions) {
  MOULT_NEEDS_FIXTURE("gcc_O2.app.o");
  const ElfFile file = ElfFile::open(fixture("gcc_O2.app.o"));
  const ObjectFile object(file);
  const ObjectSymbol* const cold = object.cold_part_of("_ZN3app7catchesEi");
  ASSERT_NE(cold, nullptr);
  EXPECT_EQ(cold->name, "_ZN3app7catchesEi.cold");
  EXPECT_EQ(object.cold_part_of("_ZN3app4halfEd"), nullptr);
}

TEST(ObjectFile, RefusesAProgram) {
  MOULT_NEEDS_FIXTURE("gcc_O2");
  EXPECT_THAT(objection_to(fixture("gcc_O2")), HasSubstr("is no object (.o)"));
}

TEST(ObjectFile, RefusesGarbageAndAnEmptyFile) {
  const ScratchFolder scratch;
  std::ofstream(scratch.file("garbage.o")) << "this is no object";
  std::ofstream(scratch.file("empty.o")).flush();
  EXPECT_THAT(objection_to(scratch.file("garbage.o")), HasSubstr("garbage.o: is no ELF file"));
  EXPECT_THAT(objection_to(scratch.file("empty.o")), HasSubstr("empty.o: is empty"));
}

TEST(ObjectFile, ASymbolBeyondItsSectionIsRefused) {
  MOULT_NEEDS_FIXTURE("gcc_O2.counts.o");
  std::vector<char> image = image_of(fixture("gcc_O2.counts.o"));
  Elf64_Ehdr header{};
  std::memcpy(&header, image.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section{};
    std::memcpy(&section, image.data() + header.e_shoff + i * sizeof section, sizeof section);
    if (section.sh_type != SHT_SYMTAB) continue;
    // The last one is a global function.
    const std::size_t size_at = section.sh_offset + section.sh_size - sizeof(Elf64_Sym) + offsetof(Elf64_Sym, st_size);
    image[size_at + 2] = 1;  // 64 KiB more
  }
  try {
    const ElfFile file = ElfFile::of_image(image, "damaged.o");
    const ObjectFile object(file);
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("lies beyond the end of its section"));
  }
}

TEST(ObjectFile, ATruncatedObjectIsAnErrorOrIsCompared) {
  MOULT_NEEDS_FIXTURE("gcc_O2.counts.o");
  MOULT_NEEDS_FIXTURE("gcc_O2");
  const ElfFile file = ElfFile::open(fixture("gcc_O2"));
  const LinkedFile program(file);
  const std::vector<char> whole = image_of(fixture("gcc_O2.counts.o"));
  for (std::size_t size = 1; size < whole.size(); size += 61)
    compare_damaged({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}, program);
}

TEST(ObjectFile, ADamagedObjectIsAnErrorOrIsCompared) {
  MOULT_NEEDS_FIXTURE("gcc_O2.counts.o");
  MOULT_NEEDS_FIXTURE("gcc_O2");
  const ElfFile file = ElfFile::open(fixture("gcc_O2"));
  const LinkedFile program(file);
  const std::vector<char> whole = image_of(fixture("gcc_O2.counts.o"));
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    for (const char damage : {'\xFF', '\x80', '\x01'}) {
      std::vector<char> image = whole;
      image[at] = static_cast<char>(image[at] ^ damage);
      compare_damaged(image, program);
    }
  }
}

TEST(LinkedFile, ADamagedProgramIsAnErrorOrIsCompared) {
  MOULT_NEEDS_FIXTURE("gcc_O2.app.o");
  MOULT_NEEDS_FIXTURE("gcc_O2");
  const ElfFile file = ElfFile::open(fixture("gcc_O2.app.o"));
  const ObjectFile object(file);
  const std::vector<char> whole = image_of(fixture("gcc_O2"));
  for (std::size_t at = 0; at < whole.size(); at += at < 1024 ? 3 : 4999) {
    std::vector<char> image = whole;
    image[at] = static_cast<char>(image[at] ^ 0xFF);
    try {
      const ElfFile damaged = ElfFile::of_image(std::move(image), "damaged");
      compare(object, LinkedFile(damaged), nullptr);
    } catch (const Error&) {
      continue;
    }
  }
}

}  // namespace
}  // namespace moult::internal::diff
