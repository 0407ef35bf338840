/** Lua that fills a server with a small online shop. */
export const SHOP = `
local decimal = require('decimal')
local ffi = require('ffi')
math.randomseed(7)

local function pick(list)
    return list[math.random(#list)]
end

local function transaction(count, add)
    for first = 1, count, 500 do
        box.begin()
        for number = first, math.min(first + 499, count) do
            add(number)
        end
        box.commit()
    end
end

local customers = box.schema.space.create('customers', {format = {
    {'id', 'unsigned'}, {'email', 'string'}, {'name', 'string'}, {'address', 'map'},
}})
customers:create_index('primary')
customers:create_index('email', {parts = {'email'}})

local products = box.schema.space.create('products', {format = {
    {'sku', 'string'}, {'title', 'string'}, {'price', 'decimal'}, {'tags', 'array'},
}})
products:create_index('primary', {parts = {'sku'}})
products:create_index('price', {parts = {'price'}, unique = false})

box.schema.sequence.create('order_id', {start = 100001})
local orders = box.schema.space.create('orders', {format = {
    {'id', 'unsigned'}, {'customer', 'unsigned'}, {'lines', 'array'}, {'total', 'decimal'},
    {'note', 'string', is_nullable = true},
}})
orders:create_index('primary', {sequence = 'order_id'})
orders:create_index('customer', {parts = {'customer'}, unique = false})

local events = box.schema.space.create('events', {engine = 'vinyl', format = {
    {'time', 'double'}, {'customer', 'unsigned'}, {'kind', 'string'}, {'detail', 'any'},
}})
events:create_index('primary', {parts = {'time', 'customer'}})

local FIRST = {'Ada', 'Björn', 'Chiara', 'Dmitri', 'Emeka', 'Fatima', 'Goran', 'Hanna', 'Itziar'}
local LAST = {'Almeida', 'Brandt', 'Castillo', 'Dubois', 'Eriksen', 'Fischer', 'Горшкова', 'Haddad'}
local CITIES = {Lisbon = '1100-148', Malmö = '211 34', Torino = '10121', Brno = '602 00'}
local city_names = {'Lisbon', 'Malmö', 'Torino', 'Brno'}
local THINGS = {'kettle', 'lamp', 'notebook', 'teapot', 'scarf', 'chair', 'mug', 'clock'}
local COLORS = {'blue', 'green', 'oak', 'white', 'slate'}

transaction(2000, function(id)
    local first, last, city = pick(FIRST), pick(LAST), pick(city_names)
    customers:insert({id, ('customer%d@example.org'):format(id), first .. ' ' .. last,
        {city = city, postcode = CITIES[city], house = math.random(120)}})
end)

local skus = {}
transaction(400, function(number)
    local thing, color = pick(THINGS), pick(COLORS)
    local sku = ('%s-%04d'):format(thing:sub(1, 3):upper(), number)
    local price = decimal.new(math.random(199, 24999)) / 100
    products:insert({sku, ('%s %s'):format(color, thing), price, {thing, color}})
    table.insert(skus, sku)
end)

transaction(10000, function(number)
    local lines, total = {}, decimal.new(0)
    for line = 1, math.random(4) do
        local product, quantity = products:get(pick(skus)), math.random(3)
        lines[line] = {sku = product.sku, quantity = quantity, price = product.price}
        total = total + product.price * quantity
    end
    local note = number % 50 == 0 and 'leave it with the neighbors' or nil
    orders:insert({box.NULL, math.random(2000), lines, total, note})
end)

transaction(20000, function(number)
    local kind = pick({'view', 'view', 'view', 'cart', 'search'})
    local detail = kind == 'search' and {query = pick(THINGS)} or pick(skus)
    -- a bare Lua number would be stored as an integer where it has no fraction
    local time = ffi.new('double', 1767225600 + number * 1.25)
    events:insert({time, math.random(2000), kind, detail})
end)

box.schema.func.create('order_total', {is_deterministic = true, body = [[
    function(lines)
        local total = 0
        for _, line in ipairs(lines) do
            total = total + line.price * line.quantity
        end
        return total
    end
]]})

box.schema.role.create('sales')
for _, space in ipairs({'customers', 'orders', 'events'}) do
    box.schema.role.grant('sales', 'read,write', 'space', space)
end
box.schema.role.grant('sales', 'read', 'space', 'products')
box.schema.role.grant('sales', 'read,write', 'sequence', 'order_id')
box.schema.role.grant('sales', 'execute', 'function', 'order_total')
box.schema.user.create('shop', {password = 'open sesame'})
box.schema.user.grant('shop', 'sales')
`;
