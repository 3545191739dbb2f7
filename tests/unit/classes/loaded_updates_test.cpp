#include "classes/loaded_updates.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace moult::internal {
namespace {

using Functions = std::set<CodeAddress>;

constexpr CodeAddress entry{0x100};
constexpr CodeAddress build{0x200};
constexpr CodeAddress transform{0x300};
constexpr CodeAddress helper{0x400};
constexpr CodeAddress step{0x500};
constexpr CodeAddress other{0x600};

const void* at(std::uintptr_t address) { return reinterpret_cast<const void*>(address); }
const void* at(CodeAddress code) { return at(value(code)); }

/// A converter's vtable lies at 0x1010 and an update's at 0x2010.
ModuleCalls calls_of_update() {
  ModuleCalls calls;
  calls.names = {{entry, "moult_update_entry"},
                 {build, "build"},
                 {transform, "transform"},
                 {helper, "helper"},
                 {step, "apply"},
                 {other, "other"}};
  calls.data = {{0x1010, build}, {0x2018, step}, {0x3000, other}};
  calls.objects = {{0x1000, 0x1018}, {0x2000, 0x2020}, {0x3000, 0x3008}};
  calls.taken = {build, step, other, transform};
  calls.takers = {{transform, {entry}}};
  calls.callers = {{helper, {transform}}};
  return calls;
}

const RecordedCode conversion{.converters = {at(0x1010)}, .transformers = {at(transform)}};

TEST(FunctionsWithoutCallers, TheEntryHasRun) {
  EXPECT_EQ(functions_without_callers(calls_of_update(), {}, {}), Functions{entry});
}

TEST(FunctionsWithoutCallers, OnlyTheConversionRunsWhatAConverterHolds) {
  EXPECT_EQ(functions_without_callers(
                calls_of_update(), {.converters = {at(0x1010)}, .transformers = {at(transform), at(0x7fff0000)}}, {}),
            (Functions{entry, build, transform, helper}));
}

TEST(FunctionsWithoutCallers, ATransformerThatAnotherFunctionCallsCounts) {
  ModuleCalls calls = calls_of_update();
  calls.callers[transform] = {other};
  EXPECT_EQ(functions_without_callers(calls, conversion, {}), (Functions{entry, build}));
}

TEST(FunctionsWithoutCallers, ATransformerWhoseAddressAnotherFunctionTakesCounts) {
  ModuleCalls calls = calls_of_update();
  calls.takers[transform] = {entry, other};
  EXPECT_EQ(functions_without_callers(calls, conversion, {}), (Functions{entry, build}));
}

TEST(FunctionsWithoutCallers, ATransformerThatIsInATableCounts) {
  ModuleCalls calls = calls_of_update();
  calls.data[0x3000] = transform;
  EXPECT_EQ(functions_without_callers(calls, conversion, {}), (Functions{entry, build}));
}

TEST(FunctionsWithoutCallers, ATableThatATransformerHasTheAddressOfIsNoVtable) {
  EXPECT_EQ(functions_without_callers(calls_of_update(), {.transformers = {at(0x3000)}}, {}), Functions{entry});
}

TEST(FunctionsWithoutCallers, ATransformerThatTheConverterCallsDoesNot) {
  ModuleCalls calls = calls_of_update();
  calls.callers[transform] = {build};
  EXPECT_EQ(functions_without_callers(calls, conversion, {}), (Functions{entry, build, transform, helper}));
}

TEST(FunctionsWithoutCallers, ATransformerThatIsATargetCounts) {
  EXPECT_EQ(functions_without_callers(calls_of_update(), conversion, {transform}), (Functions{entry, build}));
}

TEST(FunctionsWithoutCallers, NobodyCallsTheStepsOfAnUpdateThatHasEnded) {
  EXPECT_EQ(functions_without_callers(calls_of_update(), {.ended_updates = {at(0x2010)}}, {}),
            (Functions{entry, step}));
}

TEST(FunctionsWithoutCallers, TheStepsCountWhileAnotherUpdateOfThatClassWaits) {
  EXPECT_EQ(functions_without_callers(calls_of_update(),
                                      {.ended_updates = {at(0x2010)}, .waiting_updates = {at(0x2010)}}, {}),
            Functions{entry});
}

TEST(FunctionsWithoutCallers, AVtableEndsBeforeTheNextVariable) {
  ModuleCalls calls = calls_of_update();
  calls.objects = {{0x2000, 0x2020}, {0x2020, 0x2028}};
  calls.data = {{0x2018, step}, {0x2020, other}};
  EXPECT_EQ(functions_without_callers(calls, {.ended_updates = {at(0x2010)}}, {}), (Functions{entry, step}));
}

}  // namespace
}  // namespace moult::internal
