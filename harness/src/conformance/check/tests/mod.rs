//! Each requirement on connections put together message by message.

mod authentication;
mod rca;
mod rm;
mod scene;
mod table;
mod tf;
mod tls;
