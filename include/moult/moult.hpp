// Everything a program or an update uses of moult.
#pragma once

#include "moult/alterability.hpp"
#include "moult/class_additions.hpp"
#include "moult/data_access.hpp"
#include "moult/data_update.hpp"
#include "moult/error.hpp"
#include "moult/heap_walker.hpp"
#include "moult/lazy_update.hpp"
#include "moult/listener.hpp"
#include "moult/load.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"
#include "moult/redirection.hpp"
#include "moult/relinking.hpp"
#include "moult/stack.hpp"
#include "moult/update.hpp"
#include "moult/updates.hpp"
