// How the test reaches the update, which is no part of the program.
#pragma once

#include <memory>
#include <string>

#include "classes.hpp"
#include "moult/update.hpp"

/// What the loaded update exports, by one function.
struct LoadedUpdate {
  std::unique_ptr<moult::Update> (*redefine_data)();
  std::unique_ptr<moult::Update> (*redefine_shape)();
  std::unique_ptr<moult::Update> (*add_corners_to_shape)();   ///< a new virtual function
  std::unique_ptr<moult::Update> (*add_corners_to_figure)();  ///< the same
  std::unique_ptr<moult::Update> (*override_area)();          ///< of Square: its base has the function
  std::string (*origin_of)(const app::Data& data);            ///< of an object of the new class
  int (*destroyed)();                                         ///< objects by the new destructor
  int (*corners_of)(const app::Figure& figure);               ///< by a virtual function that only the new class has
  int (*data_v2_size)();
};
