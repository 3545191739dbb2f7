#include "code/edit_placement.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "code/near_pool.hpp"
#include "elf/elf_file.hpp"
#include "moult/error.hpp"
#include "platform/loaded_modules.hpp"
#include "symbols/program.hpp"

namespace moult::internal::edit_placement_test {

int of_program = 41;

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::uint64_t offset_of_section(const std::string& path, const char* name) {
  const ElfFile file = ElfFile::open(path);
  GElf_Shdr header{};
  EXPECT_NE(gelf_getshdr(file.section(name), &header), nullptr);
  return header.sh_offset;
}

class Placement : public testing::Test {
 protected:
  Placement() {
    std::string name = testing::TempDir() + "moult-placement-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    fs::copy_file(FIXTURES "edit.so", sent());
    // The field of `edited` leads to of_program.
    write(offset_of_section(sent(), fields_section) + offsetof(FieldEntry, target),
          std::uint64_t{reinterpret_cast<std::uintptr_t>(&of_program) - bias_of_program()});
  }
  ~Placement() override { fs::remove_all(folder_); }

  std::string sent() const { return folder_ + "/edit.so"; }
  template <class Value>
  void write(std::uint64_t offset, Value value) {
    std::fstream file(sent(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(reinterpret_cast<const char*>(&value), sizeof value);
  }
  PrivateCopy copy() const { return {Fd(::open(sent().c_str(), O_RDONLY | O_CLOEXEC)), sent(), folder_}; }

  std::string folder_;
};

/// The file, loaded at a place that was chosen for it. Stays loaded, as updates do.
struct Loaded {
  explicit Loaded(const PrivateCopy& copy) : placement(copy) {
    for (int round = 0; round < most_mapping_rounds; ++round) {
      placement.choose("edit.so");
      handle = ::dlopen(copy.name().c_str(), RTLD_NOW | RTLD_LOCAL);
      if (handle == nullptr || placement.is_in_place(handle)) return;
      ::dlclose(handle);
    }
  }
  int call(const char* function) const { return reinterpret_cast<int (*)()>(::dlsym(handle, function))(); }

  EditPlacement placement;
  void* handle = nullptr;
};

TEST_F(Placement, CodeUsesAVariableOfTheProgramByDistance) {
  const PrivateCopy file = copy();
  const Loaded loaded(file);
  ASSERT_NE(loaded.handle, nullptr) << ::dlerror();
  ASSERT_TRUE(loaded.placement.is_in_place(loaded.handle));
  of_program = 41;
  EXPECT_EQ(loaded.call("edited"), 41);
  of_program = 42;
  EXPECT_EQ(loaded.call("edited"), 42);
}

TEST_F(Placement, AnotherUpdateIsLeftAsItIs) {
  const PrivateCopy other(Fd(::open(FIXTURES "one.so", O_RDONLY | O_CLOEXEC)), "one.so", folder_);
  EXPECT_FALSE(EditPlacement(other).is_needed());
  EXPECT_TRUE(EditPlacement(copy()).is_needed());
}

TEST_F(Placement, ALaterUpdateGoesOnWithTheVariablesOfTheFirst) {
  const PrivateCopy first_file = copy();
  const Loaded first(first_file);
  ASSERT_NE(first.handle, nullptr) << ::dlerror();
  first.placement.keep_variables();
  const int before = first.call("counted");
  const PrivateCopy second_file = copy();
  const Loaded second(second_file);
  ASSERT_NE(second.handle, nullptr) << ::dlerror();
  second.placement.keep_variables();
  EXPECT_EQ(second.call("counted"), before + 1);
  EXPECT_EQ(first.call("counted"), before + 2);
}

TEST_F(Placement, SymbolsAreFoundByTheirAddressesAtRunTime) {
  const PrivateCopy file = copy();
  const Loaded loaded(file);
  ASSERT_NE(loaded.handle, nullptr) << ::dlerror();
  const CodeAddress edited{reinterpret_cast<std::uintptr_t>(::dlsym(loaded.handle, "edited"))};
  const Program program = Program::of_this_process();
  const std::optional<FunctionSymbol> found = program.at(edited);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->mangled, "edited");
  EXPECT_EQ(found->range.begin, edited);
  EXPECT_EQ(found->module, file.name());
}

TEST_F(Placement, AFieldOutsideOfTheFileIsDamage) {
  write(offset_of_section(sent(), fields_section), std::int32_t{0x40000000});
  const PrivateCopy file = copy();
  try {
    EditPlacement placement(file);
    FAIL() << "it was believed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_an_update);
    EXPECT_THAT(error.what(), HasSubstr("lies outside of its code and data"));
  }
}

TEST_F(Placement, AFieldOfAnUnknownKindIsDamage) {
  write(offset_of_section(sent(), fields_section) + offsetof(FieldEntry, kind), std::uint32_t{77});
  const PrivateCopy file = copy();
  EXPECT_THROW(EditPlacement{file}, Error);
}

TEST_F(Placement, AVariableOutsideOfTheFileIsDamage) {
  write(offset_of_section(sent(), variables_section), std::int64_t{1} << 40);
  const PrivateCopy file = copy();
  EXPECT_THROW(EditPlacement{file}, Error);
}

TEST_F(Placement, ATargetOutOfReachIsNoRoom) {
  write(offset_of_section(sent(), fields_section) + offsetof(FieldEntry, target), std::uint64_t{1} << 40);
  const PrivateCopy file = copy();
  EditPlacement placement(file);
  try {
    placement.choose("edit.so");
    FAIL() << "it was placed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::no_room);
  }
}

}  // namespace
}  // namespace moult::internal::edit_placement_test
