// The steps of an update can be spelled in several ways, and each compiles: a function with or without "&", an options
// argument as bare braces or with its type's name. Most of this file is only compiled; one update is carried out.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "moult/moult.hpp"

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

MOULT_UPDATABLE int one() { return 1; }
MOULT_UPDATABLE int two() { return 2; }
int new_one() { return 10; }
int new_two() { return 20; }

void main_function(std::chrono::milliseconds) {}

class Data : public Updatable<Data, 64> {
 public:
  int value() const { return value_; }

 private:
  int value_ = 0;
};

class DataV2 : public Updatable<DataV2> {
 public:
  int value() const { return value_; }

 private:
  int value_ = 0;
  std::string origin_;
};

DataV2 transformer(const Data&) { return {}; }
Data inverse(const DataV2&) { return {}; }

// Functions by name and by address, in everything that takes one.
[[maybe_unused]] void redefinitions() {
  redefine_function(one, new_one);
  redefine_function(&one, &new_one);
  redefine_function(one, &new_one);
  redefine_function(one, [] { return 11; });
  redefine_any_function(one, new_one);
  redefine_any_function(&one, &new_one);

  (void)Redefinition(one, new_one);
  (void)Redefinition(&one, &new_one);
  (void)Redefinition{one, &new_one};
  (void)Redefinition(&Data::value, &DataV2::value);

  (void)std::make_unique<SafeRedefineUpdate>("one", one, new_one);
  (void)std::make_unique<SafeRedefineUpdate>("one", &one, &new_one);
  (void)std::make_unique<SafeRedefineUpdate>("one", &one, new_one);
  (void)std::make_unique<SafeRedefineUpdate>("value", &Data::value, &DataV2::value);
  (void)std::make_unique<SafeRedefineUpdate>("both",
                                             std::vector{Redefinition(one, new_one), Redefinition(two, new_two)});
  (void)std::make_unique<SafeRedefineUpdate>("both", std::vector<Redefinition>{{one, new_one}, {&two, &new_two}});
  (void)SafeRedefineUpdate("both", {Redefinition(one, new_one), Redefinition(&two, &new_two)});
  (void)SafeRedefineUpdate("both", {{one, new_one}, {&two, &new_two}}, {this_thread_id()});
  (void)SafeRedefineUpdate("one", {{one, new_one}}, std::vector<ThreadId>{this_thread_id()});
}

[[maybe_unused]] void alterability(const Patience& patience) {
  (void)is_function_in_any_stack(one);
  (void)is_function_in_any_stack(&one);
  (void)is_function_in_any_stack({one});
  (void)wait_quiescence_of_function(one, patience);
  (void)wait_quiescence_of_function(&one, {.max_tries = 1});
  (void)wait_quiescence_of_functions({one, two}, patience);
  (void)wait_quiescence_of_functions({&one, &two}, Patience{.max_tries = 1});
  (void)wait_quiescence_of_functions(std::vector<AnyFunction>{one, &two});
  (void)check_quiescence_of_functions({one}, patience);

  const AnyFunction function = one;
  setup_force_quiescence(one, patience);
  setup_force_quiescence(&one);
  setup_force_quiescence(function, {.max_tries = 1});
  setup_force_quiescence(&Data::value, patience);
  setup_force_quiescence({one}, patience);
  setup_force_quiescence({&one, two}, Patience{.max_tries = 1});
  setup_force_quiescence({function}, patience);
  setup_force_quiescence(std::vector<AnyFunction>{one, &two});
}

[[maybe_unused]] void static_points(const std::vector<ThreadId>& threads) {
  setup_wait_static_points({.names = {"point"}, .threads = threads});
  setup_wait_static_points({.names = {"point", "another"}});
  setup_wait_static_points({.threads = {this_thread_id()}});
  setup_wait_static_points({{"point"}, threads});
  setup_wait_static_points(StaticPoints{.names = {"point"}});
  setup_wait_static_points(StaticPoints{{"point"}, {this_thread_id()}});
  setup_wait_static_points({});
}

[[maybe_unused]] void restarts(ThreadId thread) {
  switch_main(thread, main_function, 1s);
  switch_main(thread, &main_function, 1ms);
  (void)std::make_unique<ThreadRebootUpdate>("reboot", thread, main_function, 1s);
  (void)std::make_unique<ThreadRebootUpdate>("reboot", thread, &main_function, 1s);
}

[[maybe_unused]] void conversions(Data& data) {
  using Options = ConversionOptions<Data, DataV2>;
  (void)std::make_unique<EagerConversionUpdate<Data, DataV2>>("Data", transformer);
  (void)std::make_unique<EagerConversionUpdate<Data, DataV2>>("Data", &transformer, Options{.rebind = Rebind::yes});
  (void)EagerConversionUpdate<Data, DataV2>("Data", transformer, {.rebind = Rebind::yes, .inverse = inverse});
  (void)EagerConversionUpdate<Data, DataV2>("Data", &transformer, {.inverse = &inverse}, {this_thread_id()});
  (void)std::make_unique<LazyConversionUpdate<Data, DataV2>>("Data", &transformer, Options{}, Untouched::drained);
  (void)LazyConversionUpdate<Data, DataV2>("Data", transformer, {.rebind = Rebind::yes}, Untouched::drained);
  (void)start_eager_update<Data, DataV2>(transformer, {.rebind = Rebind::yes});
  (void)start_eager_update<Data, DataV2>(&transformer, Options{.inverse = &inverse});
  (void)start_lazy_update<Data, DataV2>(&transformer, {.inverse = inverse});
  (void)update_to_class<Data, DataV2>(data, transformer);
  (void)update_to_class<Data, DataV2>(data, &transformer);
  (void)update_to_class<Data, DataV2>(data, [](const Data&) { return DataV2(); });

  redefine_class<Data, DataV2>({.also = {Redefinition(one, new_one)}, .unmatched = UnmatchedMembers::kept});
  redefine_class<Data, DataV2>({.also = {{&one, &new_one}}});
  redefine_class<Data, DataV2>({.also = {{one, new_one}, {two, new_two}}});
  redefine_class<Data, DataV2>(ClassRedefinition{.also = {{one, new_one}}});
  for (const Data& each : DataAccessor<Data>()) (void)each;
  for (Data& each : DataAccessor<Data>({.timeout = 5s})) (void)each;
  for (Data& each : DataAccessor<Data>(Enumeration{.timeout = 5s})) (void)each;
}

/// A function of its own, and its entry closed by its name alone.
class Gated final : public Update {
 public:
  explicit Gated(AnyFunction function) : Update("gated"), function_(std::move(function)) {
    set_patience({.stop_timeout = 20s, .max_postponements = 0});
  }
  void preupdate_setup() override { setup_force_quiescence(function_, patience()); }
  bool wait_alterability() override { return wait_force_quiescence(patience()); }
  void clean_failed_alterability() override { clean_failed_force_quiescence(); }
  void apply() override { redefine_function(one, new_one); }
  void cleanup() override { clean_force_quiescence(); }

 private:
  AnyFunction function_;
};

TEST(Spellings, AFunctionWithoutBracesIsClosedToNewCalls) {
  EXPECT_EQ(one(), 1);
  const UpdateReport report = threaded_manager("spellings").add_update(std::make_unique<Gated>(one)).wait(60s);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(one(), 10);
}

}  // namespace subject
}  // namespace moult
