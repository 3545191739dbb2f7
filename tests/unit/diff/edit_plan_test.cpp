// What an update has of an edited object, and where its references lead.
#include "diff/edit_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "../symbols/fixtures.hpp"

namespace moult::internal::diff {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A plan with what it was made from.
struct Planned {
  Planned(const std::string& program_name, const std::string& object_name)
      : program_file(ElfFile::open(fixture(program_name))),
        object_file(ElfFile::open(fixture(object_name))),
        program(program_file),
        object(object_file),
        debug_info(DebugInfo::open(program_file)) {
    std::set<std::string, std::less<>> defined;
    plan = plan_edit(object, program, compare(object, program, debug_info.get()), {}, {}, defined);
  }

  std::vector<std::string> replaced() const {
    std::vector<std::string> names;
    for (const ReplacedFunction& each : plan.functions) names.push_back(each.name);
    return names;
  }
  const ReplacedFunction& function(const std::string& name) const {
    return *std::ranges::find(plan.functions, name, &ReplacedFunction::name);
  }
  std::vector<std::string> sections() const {
    std::vector<std::string> names;
    for (const std::size_t each : plan.sections) names.emplace_back(object.sections()[each].name);
    return names;
  }
  /// The program's symbols that fields of `section` lead to.
  std::vector<std::string> targets_in(const std::string& section) const {
    std::vector<std::string> names;
    for (const auto& [place, field] : plan.fields) {
      if (object.sections()[place.section].name != section) continue;
      for (const std::size_t each : program.at(field.target)) names.emplace_back(program.symbols()[each].name);
    }
    return names;
  }

  ElfFile program_file;
  ElfFile object_file;
  LinkedFile program;
  ObjectFile object;
  std::unique_ptr<DebugInfo> debug_info;
  EditPlan plan;
};

class EveryCompiler : public testing::TestWithParam<const char*> {
 protected:
  std::string program() const { return GetParam(); }
};

TEST_P(EveryCompiler, NeedsNothingOfASourceThatWasNotEdited) {
  MOULT_NEEDS_FIXTURE(program());
  const Planned planned(program(), program() + ".app.o");
  EXPECT_THAT(planned.plan.functions, IsEmpty());
  EXPECT_THAT(planned.plan.sections, IsEmpty());
  EXPECT_THAT(planned.plan.refusals, IsEmpty());
}

TEST_P(EveryCompiler, HasTheEditedFunctionsAndNoOthers) {
  MOULT_NEEDS_FIXTURE(program());
  const Planned planned(program(), program() + ".edited.o");
  EXPECT_THAT(planned.replaced(), Contains("app::multiplied(int)"));
  EXPECT_THAT(planned.sections(), Contains(".text._ZN3app10multipliedEi"));
  EXPECT_THAT(planned.replaced(), Not(Contains("app::title_of(unsigned int)")));
  EXPECT_THAT(planned.sections(), Not(Contains(".text._ZN3app8title_ofEj")));
}

TEST_P(EveryCompiler, LeadsUsesOfFunctionsAndVariablesToTheProgram) {
  MOULT_NEEDS_FIXTURE(program());
  const Planned planned(program(), program() + ".edited.o");
  EXPECT_THAT(planned.targets_in(".text._ZN3app9calls_oneEi"), Contains(HasSubstr("other_helper")));
  EXPECT_THAT(planned.targets_in(".text._ZN3app8uses_oneEi"), Contains(HasSubstr("other_counter")));
}

TEST_P(EveryCompiler, KnowsTheCodeOfBothVersions) {
  MOULT_NEEDS_FIXTURE(program());
  const Planned planned(program(), program() + ".edited.o");
  const ReplacedFunction& function = planned.function("app::multiplied(int)");
  ASSERT_FALSE(function.code.empty());
  ASSERT_FALSE(function.replacement.empty());
  const auto symbols = planned.program.at(value(function.code.front().begin));
  ASSERT_FALSE(symbols.empty());
  EXPECT_EQ(planned.program.symbols()[symbols.front()].size, function.code.front().size());
  EXPECT_EQ(planned.object.sections()[function.replacement.front().section].name, ".text._ZN3app10multipliedEi");
}

INSTANTIATE_TEST_SUITE_P(EditPlan, EveryCompiler, testing::Values("gcc_O0", "gcc_O2", "clang_O0", "clang_O2"),
                         [](const auto& each) { return std::string(each.param); });

TEST(EditPlan, ACodeThatIsTiedToItsAddressIsRefused) {
  MOULT_NEEDS_FIXTURE("gcc_absolute");
  const Planned planned("gcc_absolute", "gcc_absolute.edited.o");
  EXPECT_THAT(planned.plan.refusals, Contains(HasSubstr("is not position-independent")));
}

TEST(EditPlan, SharedFunctionsComeFromTheFirstObjectAlone) {
  MOULT_NEEDS_FIXTURE("gcc_O2");
  const ElfFile program_file = ElfFile::open(fixture("gcc_O2"));
  const ElfFile object_file = ElfFile::open(fixture("gcc_O2.edited.o"));
  const LinkedFile program(program_file);
  const ObjectFile object(object_file);
  const std::unique_ptr<DebugInfo> debug_info = DebugInfo::open(program_file);
  const FileComparison comparison = compare(object, program, debug_info.get());
  std::set<std::string, std::less<>> defined;
  const EditPlan first = plan_edit(object, program, comparison, {}, {}, defined);
  ASSERT_THAT(defined, Not(IsEmpty()));
  const EditPlan second = plan_edit(object, program, comparison, {}, {}, defined);
  for (const std::size_t each : second.sections)
    for (const std::size_t symbol : object.sections()[each].symbols)
      EXPECT_FALSE(object.symbols()[symbol].binding == Binding::weak &&
                   !object.symbols()[symbol].name.starts_with("DW.ref."))
          << object.symbols()[symbol].name;
}

}  // namespace
}  // namespace moult::internal::diff
