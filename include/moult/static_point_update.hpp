// An update that is applied while its threads stay at their static update points.
//
//   class Swap : public moult::StaticPointUpdate {
//    public:
//     Swap() : StaticPointUpdate("swap", {"between requests"}) {}
//     void apply() override { moult::redefine_function(&app::handle, &handle_v2); }
//   };
#pragma once

#include <string>
#include <vector>

#include "moult/static_points.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// A subclass writes apply, which runs while every thread concerned stays at one of the points. If it overrides another
/// step, it calls this class's step too. `threads` as StaticPoints::threads. An update that names none takes its
/// manager's threads; if the manager has none, every moult::Thread.
class StaticPointUpdate : public Update {
 public:
  StaticPointUpdate(std::string name, std::vector<std::string> points, std::vector<ThreadId> threads = {});

  /// Replaces the points given at construction. Before the update is submitted to a manager.
  void set_points(std::vector<std::string> points);

  void preupdate_setup() override;
  bool wait_alterability() override;
  bool check_alterability() override;
  void clean_failed_alterability() override;

 private:
  std::vector<std::string> points_;
};

}  // namespace moult
#pragma GCC visibility pop
