-- The tables as the project's first plan gave them. An owner who followed that plan has
-- them already, perhaps with rows, so they are created only where missing; the next
-- migration widens them. MariaDB commits each statement by itself: every migration here
-- must be safe to run again after it was cut off half way.

CREATE TABLE IF NOT EXISTS pods (
    id INT AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(50) UNIQUE NOT NULL,
    category ENUM('essential', 'optional') NOT NULL,
    status ENUM('stopped', 'starting', 'running', 'stopping', 'error') DEFAULT 'stopped',
    port INT,
    cpu_limit DECIMAL(3,1) DEFAULT 1.0,
    ram_limit INT DEFAULT 512,
    current_cpu DECIMAL(5,2) DEFAULT 0.00,
    current_ram INT DEFAULT 0,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS workflows (
    id INT AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(100) NOT NULL,
    description TEXT,
    required_pods JSON NOT NULL,
    estimated_cpu DECIMAL(4,1) NOT NULL,
    estimated_ram INT NOT NULL,
    is_active BOOLEAN DEFAULT FALSE,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS system_resources (
    id INT AUTO_INCREMENT PRIMARY KEY,
    timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    cpu_usage DECIMAL(5,2),
    ram_usage DECIMAL(5,2),
    ram_total INT,
    disk_usage DECIMAL(5,2),
    active_pods JSON,
    INDEX idx_timestamp (timestamp)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS resource_alerts (
    id INT AUTO_INCREMENT PRIMARY KEY,
    alert_type ENUM('cpu_high', 'ram_high', 'disk_high', 'pod_down') NOT NULL,
    message TEXT NOT NULL,
    severity ENUM('info', 'warning', 'critical') NOT NULL,
    resolved BOOLEAN DEFAULT FALSE,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
