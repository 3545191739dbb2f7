#include "pools.hpp"

// Adds a field by itself, with no update that a manager would carry out, and goes on to use it.
MOULT_UPDATE { moult::add_field_to_class<app::Data, int>("count"); }
