// What the search calls back for, entry by entry; class_layout_test.cpp has the uses with names and addresses.
#include "symbols/use_search.hpp"

#include <gmock/gmock.h>

#include <map>

#include "elf/elf_file.hpp"
#include "fixtures.hpp"
#include "symbols/die_attributes.hpp"

namespace moult::internal {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

/// A module of classes in one form of debug information.
class UseSearchIn : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    MOULT_NEEDS_FIXTURE(GetParam());
    file_.emplace(ElfFile::open(fixture(GetParam())));
    info_ = DebugInfo::open(*file_);
    ASSERT_NE(info_, nullptr);
  }

  KnownClass known(const std::string& name) const { return find_class(*info_, ClassName(name)); }

  /// By the plain names of functions and static objects.
  std::map<std::string, Reach> uses_of(const std::string& name) const {
    std::map<std::string, Reach> uses;
    find_uses(*info_, ClassName(name), known(name), [&](const Dwarf_Die& die, Reach reach) {
      for (const Dwarf_Die& part : parts_of(die)) {
        const std::string plain(plain_name_of(part));
        if (!plain.empty()) uses[plain] = std::max(uses[plain], reach);
      }
    });
    return uses;
  }

 private:
  std::optional<ElfFile> file_;
  std::unique_ptr<DebugInfo> info_;
};

INSTANTIATE_TEST_SUITE_P(Modules, UseSearchIn,
                         testing::Values("classes_gcc_O0_dwarf4.so", "classes_gcc_O2_dwarf5.so",
                                         "classes_clang_O0_dwarf5.so", "classes_clang_O2_dwarf4.so", "classes_lto.so",
                                         "classes_split.so", "classes_shared.so"),
                         [](const auto& tested) {
                           const std::string name = tested.param;
                           return name.substr(0, name.find('.'));
                         });

TEST_P(UseSearchIn, TheClassIsKnownByItsEntriesAndItsFunctions) {
  const KnownClass data = known("app::Data");
  EXPECT_THAT(data.units, Not(IsEmpty()));
  EXPECT_THAT(data.entries, Not(IsEmpty()));
  EXPECT_THAT(data.functions, Not(IsEmpty()));
}

TEST_P(UseSearchIn, AnUnknownClassHasNoEntriesAndNoUses) {
  EXPECT_THAT(known("app::Dat").entries, IsEmpty());
  EXPECT_THAT(known("Data").entries, IsEmpty()) << "another scope";
  EXPECT_THAT(uses_of("app::Dat"), IsEmpty());
}

TEST_P(UseSearchIn, FunctionsAreFoundWithWhatTheyDependOn) {
  const std::map<std::string, Reach> uses = uses_of("app::Data");
  EXPECT_THAT(uses, Contains(Pair("by_pointer", Reach::layout)));
  EXPECT_THAT(uses, Contains(Pair("by_value", Reach::size)));
  EXPECT_THAT(uses, Contains(Pair("in_a_vector", Reach::layout)));
  EXPECT_THAT(uses, Contains(Pair("in_a_vector_of_values", Reach::size)));
  EXPECT_THAT(uses, Not(Contains(Key("not_at_all"))));
}

TEST_P(UseSearchIn, StaticObjectsAreFoundWithWhatTheyDependOn) {
  const std::map<std::string, Reach> uses = uses_of("app::Data");
  EXPECT_THAT(uses, Contains(Pair("the_data", Reach::layout)));
  EXPECT_THAT(uses, Contains(Pair("a_static", Reach::size)));
  EXPECT_THAT(uses, Not(Contains(Key("no_data"))));
}

TEST_P(UseSearchIn, UsesOfAMemberAreNoUsesOfItsClass) {
  const std::map<std::string, Reach> uses = uses_of("app::Holder");
  EXPECT_THAT(uses, Contains(Key("in_a_member")));
  EXPECT_THAT(uses, Not(Contains(Key("by_pointer")))) << "a Data* leads to no Holder";
}

}  // namespace
}  // namespace moult::internal
