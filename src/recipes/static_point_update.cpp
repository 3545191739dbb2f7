#include "moult/static_point_update.hpp"

#include <utility>

namespace moult {

StaticPointUpdate::StaticPointUpdate(std::string name, std::vector<std::string> points, std::vector<ThreadId> threads)
    : Update(std::move(name), std::move(threads)), points_(std::move(points)) {}

void StaticPointUpdate::set_points(std::vector<std::string> points) { points_ = std::move(points); }

void StaticPointUpdate::preupdate_setup() { setup_wait_static_points({.names = points_, .threads = threads()}); }

bool StaticPointUpdate::wait_alterability() { return wait_static_points_reached(patience()); }

bool StaticPointUpdate::check_alterability() { return check_static_points_reached(patience()); }

void StaticPointUpdate::clean_failed_alterability() { clean_failed_static_points(); }

}  // namespace moult
