// An update that is applied when its threads are at their static update points.
#pragma once

#include <string>
#include <vector>

#include "moult/static_points.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// What is left to write is apply, which runs while every thread that is meant stays at one of the points; whoever
/// overrides another step calls this one's as well. `threads` are as StaticPoints::threads; an update that names none
/// takes its manager's, and where that has none every moult::Thread.
class StaticPointUpdate : public Update {
 public:
  StaticPointUpdate(std::string name, std::vector<std::string> points, std::vector<ThreadId> threads = {});

  /// Other points than those it was made with. Before it is handed to a manager.
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
